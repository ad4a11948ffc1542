"""What may be told about a running program: log lines and metrics."""
