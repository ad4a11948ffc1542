"""Replays the history of Scan and Share in Jammu and Kashmir."""
