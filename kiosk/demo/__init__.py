"""A whole hospital with a simulated gateway, to try the program with."""
