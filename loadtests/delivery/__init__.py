"""Proves that other programs hear everything, in order, and measures how soon: webhooks, pull and HL7."""
