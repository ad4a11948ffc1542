"""Faults under load: what is killed or frozen while people scan, and what the gateway's side has to show for it."""
