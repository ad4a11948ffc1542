"""Floods: one attacker after another, while the gateway brings shares at a steady pace that must all be taken."""
