"""Posters for the counters of a facility: one PDF to print, hang up and check."""
