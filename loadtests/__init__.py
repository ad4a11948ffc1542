"""Load tests and the simulator: gateway, phones and clerks. They use public addresses and import nothing of ours."""
