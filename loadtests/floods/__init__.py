"""Floods: one attack after another, while the gateway sends shares at a steady pace that must all be accepted."""
