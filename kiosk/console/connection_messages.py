"""Texts of the pages *Connections* and *API keys*."""

SCOPES = {
    "tickets:read": "See queues, tickets and events",
    "tickets:write": "Call, move and register people",
    "profiles:read": "Read names, numbers and addresses of patients; each reading stands in the audit",
}
"""What a key may do, by scope."""
KEYS_DONE = {"revoked": "Revoked. Within five seconds nothing takes this key any more."}
KEYS_TROUBLE = {"form": "Give the key a name of 1 to {most} characters, and tick what it may do."}

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
    "off": "Switched off. What happens from now on waits.",
    "on": "Switched on. What waited is sent now.",
    "again": "The event is sent again within seconds.",
    "profiles-on": "Profiles are sent to it from now on. Each stands in the audit.",
    "profiles-off": "No profile is sent to it any more.",
}
VERDICTS = {"ok": "ok", "warning": "warning", "wrong": "wrong"}
"""How a check of the connection to ABDM came out."""
CHECKS = {
    "gateway": "gateway",
    "callbacks": "callbacks",
    "callback": "last callback",
    "reply": "last reply",
    "refusals": "refused callers",
    "token": "session at the gateway",
    "clock": "clock",
    "key set": "keys of the gateway",
    "bridge": "bridge",
    "services": "services of the bridge",
}
"""What was checked, by the name that ``kiosk doctor`` uses."""
REFUSED = "This was not saved: {fault}."
"""``fault``: what is wrong with an address, in the English of those who set up programs."""
