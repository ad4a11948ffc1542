"""Sentences of the administrator's rooms that Python code shows."""

from typing import Final

STAFF_TROUBLE: Final = {
    "BadLogin": "A login is 2 to 64 small letters, digits and . _ @ -, beginning with a letter or digit.",
    "LoginTaken": "Your facility has the login already. Choose another one.",
    "UnknownLogin": "Nobody of this facility has this login.",
}
"""What is wrong with a login, by the name of the error."""
