"""How the queue can fail. Outcomes are values (``models.Outcome``); these are the failures.

One base, so that an edge may say "the store cannot answer now" in one clause. No message here ever carries an
argument of a command: arguments may be a patient's.
"""

MAX_WORDS = 300
"""Characters of a server's own words that are kept: enough for a Lua error with its line, no room for a payload."""


class QueueingError(Exception):
    """Anything that goes wrong between us and the queue."""


class StoreAway(QueueingError):
    """The store cannot be asked now. Nothing was done; asking later is safe."""


class InDoubt(StoreAway):
    """The command left, its answer never came or its promise was not kept: it may or may not have been done.

    Ask again with the same request id. Nobody may be told that it was done.
    """


class StoreBusy(QueueingError):
    """So many calls are on their way already that one more would only wait. Nothing was sent."""


class StoreRefused(QueueingError):
    """The store answered with an error."""

    code: str
    """First word of the answer: ``OOM``, ``NOREPLICAS``, ``READONLY``, ``WRONGTYPE``, ``ERR`` …"""

    def __init__(self, words: str) -> None:
        self.code = words.split(" ", 1)[0][:40]
        super().__init__(words.partition(", with args beginning with")[0][:MAX_WORDS])


class StoreUnsuitable(QueueingError):
    """The store is there and can never serve us as it is: too old, wrong credentials, not what the address says."""


class StoreAddressWrong(QueueingError):
    """The address names no store. The words repeat nothing of it but its scheme: the rest may hold a password."""


class EmbeddedError(QueueingError):
    """Our own store process cannot run. The words are one line for an operator."""


class FolderInUse(EmbeddedError):
    """Another process holds the data folder."""


class FolderNotOurs(EmbeddedError):
    """The data folder is not a private folder of this user."""


class JournalDamaged(EmbeddedError):
    """The append-only file is damaged before its end: starting would lose what was promised."""


class DiskFull(EmbeddedError):
    """No room for the append-only file."""
