"""The settings, read once at start. Nothing else reads the environment.

Environment variables (prefix ``KIOSK_``) stand above the TOML file that ``KIOSK_CONFIG`` names. A wrong or missing
value raises SettingsWrong with one line: the setting, its value, and what is allowed. A secret is never repeated.
Unknown names are reported to the operator, because a misspelt setting is a wrong setting.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kiosk.settings import values
from kiosk.settings.table import PREFIX, TABLE, Setting

SECRET_FILE_BYTES = 4096
"""A client secret is a UUID; a larger file is some other file."""
CONFIG_FILE_BYTES = 65_536
NOT_OURS_TO_READ = {"CONFIG", "CHROMIUM"}
"""``KIOSK_`` names that are not settings: the settings file, and the browser for our tests."""


class SettingsWrong(Exception):
    """The program cannot start with these settings. ``str`` is one line for an operator."""

    def __init__(self, setting: str, value: str | None, allowed: str) -> None:
        problem = "is missing" if value is None else f"is {value}"
        super().__init__(f"{PREFIX}{setting.upper()} {problem}; allowed: {allowed}")


class Settings(Struct, frozen=True, kw_only=True):
    """All settings, checked."""

    host: str
    port: int
    """0: any free port, chosen at start."""
    workers: int
    public_url: str
    """Address that QR codes and links carry, with the path prefix if there is one; no slash at the end."""
    hosts: tuple[str, ...]
    """Names besides that of ``public_url`` under which pages are answered."""
    tls_certificate: Path | None
    tls_key: Path | None
    """Both or neither; with neither, encryption is a proxy's work."""
    insecure_lan: bool
    """Whether staff may sign in without encryption."""
    data_dir: Path
    """Absolute."""
    redis_url: str | None
    """None: the embedded store in ``data_dir``."""
    insecure_store: bool
    """Whether the store may be reached unencrypted over a network."""
    store_alone: bool
    """Whether a shard without a replica goes on."""
    store_vouched: frozenset[str]
    """What the operator stands for where the store hides it."""
    gateway_url: str
    gateway_client_id: str | None
    """None: ABDM is off, local queues work."""
    gateway_client_secret: str | None
    gateway_issuers: tuple[str, ...]
    gateway_audience: str
    gateway_azps: tuple[str, ...]
    gateway_token_age_max: int
    """Seconds."""
    gateway_late_deliveries: bool
    trusted_proxies: tuple[str, ...]
    """Networks. Empty: no header names the caller."""
    ops_addresses: tuple[str, ...]
    """Networks that see operators' pages; this machine always does."""
    ops_port: int | None
    """Port of the operators' pages alone."""
    ops_host: str
    security_contact: str | None
    """For security.txt."""
    gateway_addresses: tuple[str, ...]
    """Networks. Empty: any address may call the gateway's endpoints."""
    gateway_expiry: str
    """``text`` or ``number``."""
    cm_id: str
    qr_host: str
    facility_rate: float
    """Scans a second."""
    facility_burst: int
    timezone: str
    retention_h: int
    """Hours a sealed profile is kept."""
    archive_url: str | None
    """None: SQLite in ``data_dir``."""
    archive_days: int
    """Days a ticket's row is kept."""
    audit_days: int
    """Days a line of the audit is kept."""
    private_targets: bool
    """Whether deliveries may go to loopback and private networks."""
    push_services: tuple[str, ...]
    """Hosts that may be used to reach phones. Empty: none."""
    scans_first: bool
    """Whether deliveries and the archive get only the processor time that scans leave."""
    log_level: str

    @property
    def abdm(self) -> bool:
        """Whether the national gateway is spoken to."""
        return self.gateway_client_id is not None

    @property
    def push_contact(self) -> str:
        """Whom a push service can reach about this kiosk; it takes no telephone number (RFC 8292, section 2.1)."""
        contact = self.security_contact or ""
        return self.public_url if contact.startswith("tel:") or not contact else contact

    @property
    def sign_in_is_private(self) -> bool:
        """Whether passwords travel encrypted, never leave this machine, or the operator accepted that they do not."""
        url = urlsplit(self.public_url)
        return url.scheme == "https" or values.is_loopback(url.hostname or "") or self.insecure_lan

    def at_port(self, port: int) -> "Settings":
        """The same settings on the port that was free. A ``public_url`` made from host and port gets that port too."""
        secure = self.tls_certificate is not None
        own = self.public_url == local_url(self.host, self.port, secure=secure)
        public_url = local_url(self.host, port, secure=secure) if own else self.public_url
        return replace(self, port=port, public_url=public_url)

    def __repr__(self) -> str:
        return f"Settings(host={self.host!r}, port={self.port}, data_dir={str(self.data_dir)!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """A pretty traceback that shows local variables must not show the secret."""
        return [("host", self.host), ("port", str(self.port)), ("data_dir", str(self.data_dir))]


_FIELDS = {"gateway_issuer": "gateway_issuers", "gateway_azp": "gateway_azps"}
"""Settings that may hold several values have a plural name in the code."""


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check everything. Raises SettingsWrong."""
    texts, _ = _read_all(os.environ if environ is None else environ)
    decided = {_FIELDS.get(setting.name, setting.name): _value(setting, texts) for setting in TABLE}
    if (decided["gateway_client_id"] is None) != (decided["gateway_client_secret"] is None):
        missing = "gateway_client_secret" if decided["gateway_client_id"] else "gateway_client_id"
        raise SettingsWrong(missing, None, "client id and secret together, or neither (ABDM off)")
    if (decided["tls_certificate"] is None) != (decided["tls_key"] is None):
        missing = "tls_key" if decided["tls_certificate"] else "tls_certificate"
        raise SettingsWrong(missing, None, "certificate and key together, or neither (no encryption here)")
    if decided["redis_url"] and not decided["insecure_store"] and values.is_readable_on_the_way(decided["redis_url"]):
        allowed = "rediss://… or rediss+cluster://…, or KIOSK_INSECURE_STORE=yes on a network that nobody else is on"
        raise SettingsWrong("redis_url", "an address on the network without TLS", allowed)
    if decided["public_url"] is None:
        secure = decided["tls_certificate"] is not None
        decided["public_url"] = local_url(decided["host"], decided["port"], secure=secure)
    return msgspec.convert(decided, Settings, strict=True)


def unknown_names(environ: Mapping[str, str] | None = None) -> list[str]:
    """Names that begin with ``KIOSK_`` and are no settings, for a warning."""
    return _read_all(os.environ if environ is None else environ)[1]


def plain_texts(environ: Mapping[str, str] | None = None) -> tuple[dict[str, str], list[str]]:
    """The settings that were made, as text by name, and the names of secrets among them, whose text is left out."""
    texts, _ = _read_all(os.environ if environ is None else environ)
    secret = [setting.name for setting in TABLE if setting.secret and setting.name in texts]
    known = {setting.name for setting in TABLE}
    return {name: text for name, text in texts.items() if name in known and name not in secret}, secret


def local_url(host: str, port: int, *, secure: bool = False) -> str:
    """The address of a listener for this machine; an unspecified host becomes loopback."""
    scheme = "https" if secure else "http"
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"{scheme}://[{reachable}]:{port}" if ":" in reachable else f"{scheme}://{reachable}:{port}"


def secret_files(environ: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Files that settings name and that may hold a secret, by variable."""
    found = os.environ if environ is None else environ
    names = (f"{PREFIX}CONFIG", f"{PREFIX}GATEWAY_CLIENT_SECRET_FILE", f"{PREFIX}TLS_KEY")
    return {name: Path(found[name]) for name in names if found.get(name)}


METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where the metrics library looks for counters of the other processes. The library chose this name."""


def child_environment(
    settings: Mapping[str, str] | None = None, *, metrics: Path, **changed: str | int
) -> dict[str, str]:
    """The environment for a child process of our tree: this process's own, with some settings decided by the parent.

    ``settings``: by variable name; they replace every setting of this environment. ``metrics``: the folder in which
    the processes of the tree share their counters.
    """
    plain = {name: text for name, text in os.environ.items() if settings is None or not name.startswith(PREFIX)}
    decided = {f"{PREFIX}{name.upper()}": str(value) for name, value in changed.items()}
    return {**plain, **(settings or {}), **decided, METRICS_FOLDER: str(metrics)}


def metrics_folder() -> Path | None:
    """The folder that the parent of this process tree chose."""
    named = os.environ.get(METRICS_FOLDER)
    return Path(named) if named else None


def _value(setting: Setting, texts: Mapping[str, str]) -> Any:
    text = texts.get(setting.name, setting.default)
    if text is None:
        return None
    try:
        return setting.read(text.strip())
    except ValueError as wrong:
        shown = "not understood (not shown: it may hold a secret)" if setting.secret else repr(text[:80])
        why = f" ({wrong})" if setting.read is values.store and str(wrong) else ""
        raise SettingsWrong(setting.name, shown + why, setting.allowed) from None


def _read_all(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Texts by setting, environment before file, and unknown names. An empty text counts as not set."""
    known = {setting.name for setting in TABLE}
    settings = _from_file(environ.get(f"{PREFIX}CONFIG", ""))
    upper = {name.removeprefix(PREFIX): text for name, text in environ.items() if name.startswith(PREFIX)}
    settings |= {name.lower(): text for name, text in upper.items() if name not in NOT_OURS_TO_READ and text.strip()}
    secret_file = settings.pop("gateway_client_secret_file", "")
    if secret_file:
        if "gateway_client_secret" in settings:
            raise SettingsWrong(
                "gateway_client_secret_file", repr(secret_file[:80]), "the secret or its file, not both"
            )
        settings["gateway_client_secret"] = _secret_in(secret_file)
    unknown = sorted(f"{PREFIX}{name.upper()}" for name in settings.keys() - known)
    return {name: text for name, text in settings.items() if name in known}, unknown


def _secret_in(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(SECRET_FILE_BYTES).decode("ascii").strip()
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or "not ASCII text"
        raise SettingsWrong("gateway_client_secret_file", f"{path[:200]!r} ({reason})", "a readable file") from None


def _from_file(path: str) -> dict[str, str]:
    """Settings of the TOML file, as texts; names in lower case, without prefix."""
    if not path:
        return {}
    try:
        with open(path, "rb") as file:
            content = file.read(CONFIG_FILE_BYTES + 1)
        if len(content) > CONFIG_FILE_BYTES:
            raise SettingsWrong("config", f"{path[:200]!r}, over {CONFIG_FILE_BYTES} bytes", "a TOML file of settings")
        table = tomllib.loads(content.decode())
    except OSError as failure:
        raise SettingsWrong("config", f"{path[:200]!r} ({failure.strerror})", "a readable TOML file") from None
    except ValueError:
        raise SettingsWrong("config", f"{path[:200]!r}, which is not TOML", "lines like port = 8000") from None
    return {name.lower().removeprefix(PREFIX.lower()): _as_text(name, value) for name, value in table.items()}


def _as_text(name: str, value: object) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ",".join(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SettingsWrong(name[:60], f"a {type(value).__name__}", "a text, a number or a list of texts")
    return str(value)
