"""The archive: what happened, in a relational database, long after the store has forgotten it."""
