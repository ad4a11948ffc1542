"""What other programs get and send, as plain data: the JSON of tickets and profiles, FHIR, HL7, and text to paste."""
