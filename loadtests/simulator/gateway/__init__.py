"""A strict simulation of the national gateway: delivers shares, checks answers, keeps a ledger, makes
faults on demand.
"""
