"""Jammu and Kashmir's whole history of Scan and Share, lived through again."""
