"""Outsiders: the gateway, the phones and the clerks, played by us. They speak HTTP through the public doors and import
nothing of the service.
"""
