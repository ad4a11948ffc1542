"""The users of the embedded server: ``default`` is the program, ``operator`` is a person at the machine.

The socket is private, so the program needs no password. It may use few commands: it cannot run scripts, change
settings, list or flush keys, or load modules. So an attacker who makes the program send a command, or breaks out of a
function, can do no more than the program does. ``operator`` may do everything, with a secret that is kept in the data
folder.
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
"""``-@scripting`` removes EVAL and FUNCTION FLUSH; ``-@dangerous`` removes KEYS, FLUSHALL, SORT, MIGRATE, RESTORE,
CLIENT KILL and others. INFO and CONFIG GET are allowed again, because the program checks the server's settings.
"""


def operator_secret(folder: Path) -> str:
    """The operator's secret. It is created once, readable only for this system user."""
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
    """The URL of the folder's store, with the operator's secret."""
    return f"unix://{OPERATOR}:{operator_secret(folder)}@{quote(str(folder.absolute() / SOCKET_FILE))}"


def user_lines(folder: Path) -> str:
    """The users' lines of the server's configuration. They hold only the secret's digest."""
    digest = sha256(operator_secret(folder).encode()).hexdigest()
    return (
        f"user default on nopass sanitize-payload ~* resetchannels {PROGRAM_MAY}\n"
        f"user {OPERATOR} on sanitize-payload #{digest} ~* &* +@all\n"
    )
