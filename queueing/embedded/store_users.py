"""The users of our own server: ``default`` is the program, ``operator`` is a person at the machine.

The socket is private, so the program needs no password; what it needs are few commands. It cannot run scripts, read or
change settings beyond three, list or flush keys, or load modules: whoever makes it send a command of their own, or
breaks out of a function, cannot do more than the program does. ``operator`` may do everything, with a secret that lies
in the data folder.
"""

import os
import secrets
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from queueing.embedded.data_folder import SOCKET_FILE

OPERATOR = "operator"
SECRET_FILE = "operator.secret"  # noqa: S105 - its name, not the secret
SECRET_BYTES = 32
PROGRAM_MAY = (
    "-@all +@read +@write +@connection +@transaction -@dangerous -@scripting +fcall +fcall_ro +function|load "
    "+function|delete +function|list +time +info +config|get +wait"
)
"""``-@scripting`` takes away EVAL and FUNCTION FLUSH, ``-@dangerous`` KEYS, FLUSHALL, SORT, MIGRATE, RESTORE,
CLIENT KILL and the like. INFO and CONFIG GET come back: the program checks what the server promises.
"""


def operator_secret(folder: Path) -> str:
    """Made once, readable for this user alone."""
    path = folder / SECRET_FILE
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secrets.token_hex(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        path.chmod(0o600)
    return path.read_text("ascii").strip()


def operator_url(folder: Path) -> str:
    """Where the folder's store listens, for its operator."""
    return f"unix://{OPERATOR}:{operator_secret(folder)}@{quote(str(folder.absolute() / SOCKET_FILE))}"


def user_lines(folder: Path) -> str:
    """For the server's configuration. It holds the secret's digest only."""
    digest = sha256(operator_secret(folder).encode()).hexdigest()
    return (
        f"user default on nopass sanitize-payload ~* resetchannels {PROGRAM_MAY}\n"
        f"user {OPERATOR} on sanitize-payload #{digest} ~* &* +@all\n"
    )
