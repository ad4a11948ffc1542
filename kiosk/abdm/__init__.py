"""The national gateway: its words, its door here, our calls to it, and the relay that pays what it is owed."""
