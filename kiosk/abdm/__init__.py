"""The national gateway: its messages, the endpoints that it calls, our calls to it, and the relay of replies."""
