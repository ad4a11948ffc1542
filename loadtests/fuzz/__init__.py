"""Hostile input over HTTP: seeded, bounded in count and time, judged by status, answer time and memory."""
