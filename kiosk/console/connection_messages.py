"""Texts of the page *Connections*."""

STATES = {"ok": "delivers", "late": "some wait", "down": "does not answer", "off": "switched off"}
"""State of a target."""
RESULTS = {
    "delivered": "taken",
    "failed": "not taken",
    "parked": "given up",
    "switched_off": "wants nothing more",
}
"""What one try to deliver came to."""
DONE = {
    "webhook": "Added. Events are sent from now on.",
    "hl7": "Added. Messages are sent from now on.",
    "remove": "Removed. Nothing more is sent to it.",
    "on": "Switched on. What waited is sent now.",
    "again": "The event is sent again within seconds.",
    "profiles-on": "Profiles are sent to it from now on. Each stands in the audit.",
    "profiles-off": "No profile is sent to it any more.",
}
