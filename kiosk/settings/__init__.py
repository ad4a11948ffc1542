"""What an operator may decide, read once at start: the only reader of the environment.

Environment variables (prefix ``KIOSK_``) stand above the TOML file that ``KIOSK_CONFIG`` names. A wrong or missing
value raises SettingsWrong with one line that names the setting, what was given and what is allowed; a secret is never
repeated. Names that mean nothing are told to the operator, not silently dropped: a misspelt setting is a wrong setting.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kiosk.settings import values

PREFIX = "KIOSK_"
SECRET_FILE_BYTES = 4096
"""A client secret is a UUID; a larger file is some other file."""
CONFIG_FILE_BYTES = 65_536
SANDBOX_ISSUER = "https://dev.abdm.gov.in/auth/realms/central-registry"
"""``iss`` of every callback token seen from the sandbox."""
NOT_OURS_TO_READ = {"CONFIG", "CHROMIUM"}
"""``KIOSK_`` names that are no settings: the file of settings, and the browser of our tests."""


class SettingsWrong(Exception):
    """The program cannot start as it is configured. ``str`` is one line for an operator."""

    def __init__(self, setting: str, given: str | None, allowed: str) -> None:
        said = "is missing" if given is None else f"is {given}"
        super().__init__(f"{PREFIX}{setting.upper()} {said}; allowed: {allowed}")


class Settings(Struct, frozen=True, kw_only=True):
    """Everything an operator decided, checked."""

    host: str
    port: int
    """0: any free port, chosen at start."""
    workers: int
    public_url: str
    """Origin that QR codes and links carry; no slash at the end."""
    data_dir: Path
    """Absolute."""
    redis_url: str | None
    """None: the embedded store in ``data_dir``."""
    gateway_url: str
    gateway_client_id: str | None
    """None: ABDM is off, local queues work."""
    gateway_client_secret: str | None
    gateway_issuers: tuple[str, ...]
    gateway_audience: str
    gateway_azps: tuple[str, ...]
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
    log_level: str

    @property
    def abdm(self) -> bool:
        """Whether the national gateway is spoken to."""
        return self.gateway_client_id is not None

    def at_port(self, port: int) -> "Settings":
        """The same on the port that was found free; an address of our own making follows it."""
        own = self.public_url == local_url(self.host, self.port)
        return replace(self, port=port, public_url=local_url(self.host, port) if own else self.public_url)

    def __repr__(self) -> str:
        return f"Settings(host={self.host!r}, port={self.port}, data_dir={str(self.data_dir)!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """A pretty traceback that shows local variables must not show the secret."""
        return [("host", self.host), ("port", str(self.port)), ("data_dir", str(self.data_dir))]


class Setting(Struct, frozen=True, kw_only=True):
    """One row of the table: how a text becomes a value, and what an operator reads about it."""

    name: str
    default: str | None
    """None: nothing stands for it, and the value is None."""
    meaning: str
    allowed: str
    read: Callable[[str], Any]
    """Raises ValueError when the text is not allowed."""
    secret: bool = False
    shown_default: str = ""
    """Words for the table where the default is worked out."""

    @property
    def env(self) -> str:
        return f"{PREFIX}{self.name.upper()}"


_WORD = r"[\x21-\x7e]{1,250}"
_OUTBOUND = "https://… (http:// on loopback only)"

TABLE: tuple[Setting, ...] = (
    Setting(
        name="host",
        default="127.0.0.1",
        meaning="Address on which the web role listens; `0.0.0.0` for the whole network.",
        allowed="an IP address or a host name",
        read=values.host,
    ),
    Setting(
        name="port",
        default="8000",
        meaning="Port on which the web role listens; `0` takes any free one.",
        allowed="a whole number from 0 to 65535",
        read=values.whole(0, 65_535),
    ),
    Setting(
        name="workers",
        default="1",
        meaning="Web worker processes. One serves a district; use one for each core beyond that.",
        allowed="a whole number from 1 to 64",
        read=values.whole(1, 64),
    ),
    Setting(
        name="public_url",
        default=None,
        shown_default="from host and port",
        meaning="Address that people reach: QR codes and links carry it, and staff log in on it alone.",
        allowed="http://host[:port] or https://host[:port], without a path",
        read=values.origin,
    ),
    Setting(
        name="data_dir",
        default="./data",
        meaning="Folder of the embedded store, the key ring and generated secrets; made with mode 0700.",
        allowed="a folder",
        read=values.folder,
    ),
    Setting(
        name="redis_url",
        default=None,
        shown_default="embedded Valkey",
        meaning="A Valkey (8 or newer) or Redis (7.2 or newer) of your own instead of the embedded one.",
        allowed="redis://, rediss://, unix://, redis+cluster://host:port,host:port or rediss+cluster://",
        read=values.store,
        secret=True,
    ),
    Setting(
        name="gateway_url",
        default="https://dev.abdm.gov.in",
        meaning="ABDM gateway, without `/api/hiecm`.",
        allowed=_OUTBOUND,
        read=values.outbound,
    ),
    Setting(
        name="gateway_client_id",
        default=None,
        shown_default="ABDM off",
        meaning="Bridge's client id. Unset, ABDM is off and local queues work.",
        allowed="up to 250 printable characters without spaces",
        read=values.matching(_WORD),
    ),
    Setting(
        name="gateway_client_secret",
        default=None,
        shown_default="ABDM off",
        meaning="Bridge's client secret; better in a file named by `KIOSK_GATEWAY_CLIENT_SECRET_FILE`.",
        allowed="up to 250 printable characters without spaces, set together with KIOSK_GATEWAY_CLIENT_ID",
        read=values.matching(_WORD),
        secret=True,
    ),
    Setting(
        name="gateway_issuer",
        default=SANDBOX_ISSUER,
        meaning="`iss` of callback tokens; several separated by commas.",
        allowed="up to 16 texts separated by commas",
        read=values.several(values.matching(_WORD)),
    ),
    Setting(
        name="gateway_audience",
        default="account",
        meaning="`aud` of callback tokens.",
        allowed="up to 250 printable characters without spaces",
        read=values.matching(_WORD),
    ),
    Setting(
        name="gateway_azp",
        default="gateway",
        meaning="`azp` of callback tokens; several separated by commas.",
        allowed="up to 16 texts separated by commas",
        read=values.several(values.matching(_WORD)),
    ),
    Setting(
        name="gateway_expiry",
        default="text",
        meaning="How answers write a token's `expiry`: `text` is what gateways take, `number` what their schema says.",
        allowed="text, number",
        read=values.one_of("text", "number"),
    ),
    Setting(
        name="cm_id",
        default="sbx",
        meaning="`X-CM-ID` of calls to the gateway: `sbx` for the sandbox, `abdm` for production.",
        allowed="up to 64 envelopes, digits, dots, dashes and underscores",
        read=values.matching(r"[A-Za-z0-9._-]{1,64}"),
    ),
    Setting(
        name="qr_host",
        default="https://phrsbx.abdm.gov.in",
        meaning="Host of the ABDM QR.",
        allowed=_OUTBOUND,
        read=values.outbound,
    ),
    Setting(
        name="facility_rate",
        default="20",
        meaning="Scans a second that one facility may take, over time, before it is answered busy.",
        allowed="a number from 0.1 to 100000",
        read=values.number(0.1, 100_000),
    ),
    Setting(
        name="facility_burst",
        default="200",
        meaning="Scans that one facility may take at once.",
        allowed="a whole number from 1 to 1000000",
        read=values.whole(1, 1_000_000),
    ),
    Setting(
        name="timezone",
        default="Asia/Kolkata",
        meaning="Where midnight ends the service day, unless a facility says otherwise.",
        allowed="an IANA name such as Asia/Kolkata",
        read=values.timezone,
    ),
    Setting(
        name="retention_h",
        default="24",
        meaning="Hours a sealed profile is kept; the place in the queue outlives it.",
        allowed="a whole number from 1 to 720",
        read=values.whole(1, 720),
    ),
    Setting(
        name="log_level",
        default="info",
        meaning="The least of what is written to the log.",
        allowed="debug, info, warning, error",
        read=values.one_of("debug", "info", "warning", "error"),
    ),
)

_FIELDS = {"gateway_issuer": "gateway_issuers", "gateway_azp": "gateway_azps"}
"""Settings that may hold several values are named in the plural inside."""


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check everything. Raises SettingsWrong."""
    given, _ = _given(os.environ if environ is None else environ)
    decided = {_FIELDS.get(setting.name, setting.name): _value(setting, given) for setting in TABLE}
    if (decided["gateway_client_id"] is None) != (decided["gateway_client_secret"] is None):
        missing = "gateway_client_secret" if decided["gateway_client_id"] else "gateway_client_id"
        raise SettingsWrong(missing, None, "client id and secret together, or neither (ABDM off)")
    if decided["public_url"] is None:
        decided["public_url"] = local_url(decided["host"], decided["port"])
    return msgspec.convert(decided, Settings, strict=True)


def unknown_names(environ: Mapping[str, str] | None = None) -> list[str]:
    """Names that look like settings and mean nothing, for a warning."""
    return _given(os.environ if environ is None else environ)[1]


def local_url(host: str, port: int) -> str:
    """How somebody on this machine reaches a listener: the unspecified address is spelled as loopback."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where the metrics library looks for the numbers of sister processes; its own name, not ours."""


def child_environment(said: Mapping[str, str] | None = None, *, metrics: Path, **changed: str | int) -> dict[str, str]:
    """The environment for a process of our own tree: this one's, with some settings decided by the parent.

    ``said``: settings by variable name that take the place of all that the environment says. ``metrics``: the folder in
    which the tree's processes keep their counters together.
    """
    plain = {name: text for name, text in os.environ.items() if said is None or not name.startswith(PREFIX)}
    decided = {f"{PREFIX}{name.upper()}": str(value) for name, value in changed.items()}
    return {**plain, **(said or {}), **decided, METRICS_FOLDER: str(metrics)}


def metrics_folder() -> Path | None:
    """As the parent of this process tree decided."""
    named = os.environ.get(METRICS_FOLDER)
    return Path(named) if named else None


def _value(setting: Setting, given: Mapping[str, str]) -> Any:
    text = given.get(setting.name, setting.default)
    if text is None:
        return None
    try:
        return setting.read(text.strip())
    except ValueError as wrong:
        shown = "not understood (not shown: it may hold a secret)" if setting.secret else repr(text[:80])
        why = f" ({wrong})" if setting.read is values.store and str(wrong) else ""
        raise SettingsWrong(setting.name, shown + why, setting.allowed) from None


def _given(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What was said, by setting, environment above file; and names that mean nothing. An empty text says nothing."""
    known = {setting.name for setting in TABLE}
    said = _from_file(environ.get(f"{PREFIX}CONFIG", ""))
    upper = {name.removeprefix(PREFIX): text for name, text in environ.items() if name.startswith(PREFIX)}
    said |= {name.lower(): text for name, text in upper.items() if name not in NOT_OURS_TO_READ and text.strip()}
    secret_file = said.pop("gateway_client_secret_file", "")
    if secret_file:
        if "gateway_client_secret" in said:
            raise SettingsWrong(
                "gateway_client_secret_file", repr(secret_file[:80]), "the secret or its file, not both"
            )
        said["gateway_client_secret"] = _secret_in(secret_file)
    unknown = sorted(f"{PREFIX}{name.upper()}" for name in said.keys() - known)
    return {name: text for name, text in said.items() if name in known}, unknown


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


def table_in_markdown() -> str:
    """The rows of ``docs/settings.md``."""
    rows = ["| setting | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for setting in TABLE:
        default = setting.shown_default or f"`{setting.default}`"
        rows.append(f"| `{setting.env}` | {default} | {setting.allowed} | {setting.meaning} |")
    return "\n".join(rows)
