"""Spoken calls: which clips make up a call in each language, the clips on disk, and the joined sound."""
