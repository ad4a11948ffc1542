"""Delivers events to other programs: webhooks, and HL7 messages over MLLP."""
