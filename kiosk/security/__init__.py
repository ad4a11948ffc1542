"""Secrets: the key ring's file and the encryption of patient data."""
