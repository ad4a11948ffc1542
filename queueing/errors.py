"""How the queue can fail. Outcomes are values (``models.Outcome``); failures are these exceptions.

They have one base class, so that a caller can catch all of them. No message holds an argument of a command: it may be
patient data.
"""

MAX_WORDS = 300
"""Characters of a server's error message that are kept: a Lua error with its line fits, a payload does not."""


class QueueingError(Exception):
    """Anything that goes wrong between us and the queue."""


class StoreAway(QueueingError):
    """The store cannot be reached now. Nothing was done; calling again later is safe."""


class InDoubt(StoreAway):
    """The command was sent, but no reply came or the write is not durable: it may or may not have happened.

    Call again with the same request id. Do not report it as done.
    """


class StoreBusy(QueueingError):
    """Too many calls are in flight already. Nothing was sent."""


class StoreRefused(QueueingError):
    """The store answered with an error."""

    code: str
    """First word of the answer: ``OOM``, ``NOREPLICAS``, ``READONLY``, ``WRONGTYPE``, ``ERR`` …"""

    def __init__(self, answer: str) -> None:
        self.code = answer.split(" ", 1)[0][:40]
        super().__init__(answer.partition(", with args beginning with")[0][:MAX_WORDS])


class StoreUnsuitable(QueueingError):
    """The store answers but cannot be used as it is: too old, wrong credentials, or not of the kind in the address."""


class StoreAddressWrong(QueueingError):
    """The address names no store. The message repeats only its scheme: the rest may hold a password."""


class EmbeddedError(QueueingError):
    """Our own store process cannot run. The message is one line for an operator."""


class FolderInUse(EmbeddedError):
    """Another process holds the data folder."""


class FolderNotOurs(EmbeddedError):
    """The data folder is not a private folder of this user."""


class JournalDamaged(EmbeddedError):
    """The append-only file is damaged before its end: starting would lose what was promised."""


class DiskFull(EmbeddedError):
    """No room for the append-only file."""
