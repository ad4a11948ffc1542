"""Processes: the supervisor of the tree, the web server, the relay."""
