"""Invented people of a hospital morning: patients with phones, clerks at their consoles, and when patients come."""
