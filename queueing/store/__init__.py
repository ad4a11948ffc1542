"""A client for Valkey, Redis and clusters that knows nothing of hospitals."""
