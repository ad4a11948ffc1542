"""Names that mislead a reader, each with the word of the field that stands in its place.

Three tables, by how a name is looked at. ``docs/glossary.md`` says what each of our own words means.
"""

from typing import Final

PARTS: Final = {
    "debt": "pending reply",
    "debts": "pending replies",
    "door": "endpoint",
    "doors": "endpoints",
    "fittings": "services",
    "gatekeeper": "authenticator: it checks the gateway's bearer token",
    "keyset": "JWKS",
    "letter": "envelope: sealed data of one arrival",
    "letters": "envelopes",
    "news": "changes, or events where they are durable",
    "owe": "add a pending reply",
    "owed": "pending",
    "paid": "delivered",
    "unpaid": "pending",
    "valve": "circuit breaker",
}
"""Forbidden as any part of an identifier: ``debt_id``, ``ParkedDebt``."""

NATURAL: Final = {
    ("letter", "tokens/"): "a letter of an alphabet",
    ("letters", "tokens/"): "letters of an alphabet",
    ("letter", "tests/tokens/"): "a letter of an alphabet",
    ("letters", "tests/tokens/"): "letters of an alphabet",
    ("letters", "kiosk/static/js/"): "letters of a script",
}
"""Where such a part has the meaning that a dictionary gives it: part and path → meaning."""

WHOLE: Final = {
    "asked": "request, query or form",
    "given": "arguments, environment or settings",
    "house": "services",
    "kept": "stored, saved, or the noun of what it is",
    "people": "patients",
    "remote": "presence_rule",
    "said": "headers, environment, output or message",
    "told": "the noun of what it is: reply, row, body, status",
    "CameraWords": "CameraClaims",
    "TicketWords": "TicketClaims",
    "Remote": "PresenceRule",
}
"""Forbidden as the whole name of a variable, field, parameter, function or class: they do not say what they hold."""

LOCAL: Final = {"words": "messages of a language, arguments of a command, one sentence, or the noun of what it holds"}
"""Forbidden as parameters and variables of a function. As fields they stand in answers that pages read."""

NATURAL_LOCAL: Final = (
    "kiosk/posters/shaped_text.py",
    "kiosk/patient/name_sound.py",
    "tests/kiosk/exchange/test_clinics.py",
    "tests/house/",
)
"""Files in which they are the words of a text."""

MODULES: Final = {
    "answers": "outbound, error_pages",
    "decode": "request_body",
    "fittings": "services",
    "folder": "data_folder",
    "gatekeeper": "authentication",
    "greeting": "handshake",
    "ground": "bench_setup, or the noun of what it prepares",
    "hall": "facility",
    "hostile": "chaotic_server",
    "house": "services",
    "keyset": "jwks",
    "letters": "envelope",
    "moments": "timestamps",
    "news": "changes",
    "people": "person, patient",
    "plan": "capacity model",
    "playing": "fake_gateway",
    "reading": "inbound",
    "sealed": "encryption",
    "serving": "web_server",
    "stand_in": "the noun of what it stands for",
    "telemetry": "metrics, logs",
    "town": "running_hospital",
    "tree": "process_tree",
    "tries": "login_throttle",
    "valve": "circuit_breaker",
    "ward": "running_hospital",
    "wire": "schemas (JSON), resp_protocol (Valkey)",
    "words": "messages, locales, enums or claims",
}
"""Forbidden as names of modules and of folders that hold modules."""

NATURAL_MODULES: Final = {
    "tests/house/": "the rules that hold for every file",
    "kiosk/cli/plan.py": "one file for each command: `kiosk plan`",
    "loadtests/simulator/people": "the people of a hospital: patients and clerks alike",
    "kiosk/static/vendor/": "files of libraries, named by their authors",
}
