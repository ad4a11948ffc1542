"""One file for each version of the schema. A migration never imports the schema of today."""
