"""The people of a hospital morning, invented: patients with their phones, clerks at their consoles, when they come."""
