"""Starts, configures, locks and stops our own Valkey server; knows nothing of queues."""
