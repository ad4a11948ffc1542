"""Log lines, metrics and checks of a running program."""
