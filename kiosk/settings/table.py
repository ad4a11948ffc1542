"""The table of settings: for each its name, default, what is allowed, what it means and how its text becomes a value.

``docs/settings.md`` is made from it.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from kiosk.settings import values

PREFIX = "KIOSK_"
KNOWN_ISSUERS = (
    "https://dev.abdm.gov.in/auth/realms/central-registry",
    "https://dev.ndhm.gov.in/auth/realms/central-registry",
    "https://live.ndhm.gov.in/auth/realms/gateway",
    "https://apis.abdm.gov.in/auth/realms/central-registry",
)
"""``iss`` of callback tokens: the sandbox now and from 2022 to 2025, production in 2024, and what other integrators
expect of production now. A token must also be signed by a key of the gateway that is set, so the list is safe for
both environments."""


class Setting(Struct, frozen=True, kw_only=True):
    """One row of the table: how a text becomes a value, and what an operator reads about it."""

    name: str
    default: str | None
    """None: the setting has no default and its value is None."""
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
        meaning="Address that phones and screens open. QR codes and links carry it; staff sign in on it only. A path "
        "such as `/opd` is allowed where the service shares its host name with another one.",
        allowed="http://host[:port] or https://host[:port]; a path may follow, such as /opd, but none that begins like "
        "an address of ours, such as /kiosk or /console",
        read=values.public_address,
    ),
    Setting(
        name="hosts",
        default="",
        shown_default="none",
        meaning="More host names under which pages are answered, comma separated; other names are refused (421).",
        allowed="up to 16 host names, comma separated",
        read=values.host_names,
    ),
    Setting(
        name="trusted_proxies",
        default="",
        shown_default="none",
        meaning="Proxies whose `X-Forwarded-For` is trusted, separated by commas. Limits then count the real callers.",
        allowed="up to 16 addresses or networks such as 10.0.0.0/8, separated by commas",
        read=values.networks,
    ),
    Setting(
        name="ops_addresses",
        default="",
        shown_default="this machine",
        meaning="Who besides this machine sees `/metrics`, and the reasons of `/readyz`; others get 404.",
        allowed="up to 16 addresses or networks such as 10.0.0.0/8, separated by commas",
        read=values.networks,
    ),
    Setting(
        name="ops_port",
        default=None,
        shown_default="none: on the main port only",
        meaning="Port of its own for `/metrics`, `/readyz` with reasons and `/healthz`, without encryption.",
        allowed="a whole number from 1 to 65535",
        read=values.whole(1, 65_535),
    ),
    Setting(
        name="ops_host",
        default="127.0.0.1",
        meaning="Address of the operators' port. Off this machine, `KIOSK_OPS_ADDRESSES` says who may ask.",
        allowed="an IP address or a host name",
        read=values.host,
    ),
    Setting(
        name="security_contact",
        default=None,
        shown_default="none",
        meaning="Whom to tell about a weakness: `/.well-known/security.txt` names it.",
        allowed="mailto:name@example.in, https://… or tel:+91…, up to 250 characters",
        read=values.contact,
    ),
    Setting(
        name="tls_certificate",
        default=None,
        shown_default="none: a proxy encrypts",
        meaning="PEM file of the server's certificate; `kiosk tls make` makes one for a hospital's own network.",
        allowed="a readable file",
        read=values.file,
    ),
    Setting(
        name="tls_key",
        default=None,
        shown_default="none",
        meaning="PEM file of the certificate's private key.",
        allowed="a readable file",
        read=values.file,
    ),
    Setting(
        name="insecure_lan",
        default="no",
        meaning="`yes`: staff may sign in over http:// on the network. Passwords and profiles then travel unencrypted.",
        allowed="yes or no",
        read=values.yes_or_no,
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
        meaning="Your own Valkey (8 or newer) or Redis (7.2 or newer) instead of the embedded store.",
        allowed="redis://, rediss://, unix://, redis+cluster://host:port,host:port or rediss+cluster://",
        read=values.store,
        secret=True,
    ),
    Setting(
        name="insecure_store",
        default="no",
        meaning="`yes`: the store may be reached without TLS over the network. Patient data then travels unencrypted.",
        allowed="yes or no",
        read=values.yes_or_no,
    ),
    Setting(
        name="store_vouched",
        default="",
        shown_default="none",
        meaning="What you vouch for where a managed store hides `CONFIG`: `durable` (an answered write is never lost), "
        "`noeviction` (no key is forgotten when memory is full).",
        allowed="durable, noeviction, or both with a comma",
        read=values.vouched,
    ),
    Setting(
        name="store_alone",
        default="yes",
        meaning="Whether a primary of a cluster that lost its last replica goes on once none can take its place; its "
        "answers are then on one disk. `no`: its facilities get no numbers until a replica is back.",
        allowed="yes or no",
        read=values.yes_or_no,
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
        default=",".join(KNOWN_ISSUERS),
        shown_default="known issuers of sandbox and production, and the issuer of our own access token",
        meaning="`iss` of callback tokens; several separated by commas. Once set, only these are accepted.",
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
        name="gateway_token_age_max",
        default="86400",
        meaning="Seconds after its issue for which a callback token is believed at most, even if it ends later. "
        "Production issues tokens for six hours.",
        allowed="a whole number from 300 to 604800",
        read=values.whole(300, 604_800),
    ),
    Setting(
        name="gateway_late_deliveries",
        default="yes",
        meaning="Whether a share is taken whose callback token ended within the last hour. The gateway repeats a "
        "refused share once, about 16 minutes later, with the same token. The place waits for check-in.",
        allowed="yes, no",
        read=values.yes_or_no,
    ),
    Setting(
        name="gateway_addresses",
        default="",
        shown_default="any",
        meaning="Networks from which the gateway may call, separated by commas. Ask ABDM's support for today's list.",
        allowed="up to 16 addresses or networks such as 203.0.113.0/24, separated by commas",
        read=values.networks,
    ),
    Setting(
        name="gateway_expiry",
        default="text",
        meaning="How replies write `expiry`: `text` is what gateways accept, `number` what their schema says.",
        allowed="text, number",
        read=values.one_of("text", "number"),
    ),
    Setting(
        name="cm_id",
        default="sbx",
        meaning="`X-CM-ID` of calls to the gateway: `sbx` for the sandbox, `abdm` for production.",
        allowed="up to 64 letters, digits, dots, dashes and underscores",
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
        meaning="Scans a second that one facility may send on average; above it the phone shows a busy message.",
        allowed="a number from 0.1 to 100000",
        read=values.number(0.1, 100_000),
    ),
    Setting(
        name="facility_burst",
        default="200",
        meaning="Scans that one facility may send at once.",
        allowed="a whole number from 1 to 1000000",
        read=values.whole(1, 1_000_000),
    ),
    Setting(
        name="timezone",
        default="Asia/Kolkata",
        meaning="Time zone in which midnight ends the service day; a facility may have its own.",
        allowed="an IANA name such as Asia/Kolkata",
        read=values.timezone,
    ),
    Setting(
        name="retention_h",
        default="24",
        meaning="Hours for which a sealed profile can be opened. The place in the queue stays.",
        allowed="a whole number from 1 to 720",
        read=values.whole(1, 720),
    ),
    Setting(
        name="archive_url",
        default=None,
        shown_default="`archive.db` in the data folder",
        meaning="Database in which what happened is kept: SQLite, or PostgreSQL for a state.",
        allowed="sqlite:////path/of/file.db, or postgresql://user:password@host/database[?sslmode=verify-full]",
        read=values.archive,
        secret=True,
    ),
    Setting(
        name="archive_days",
        default="800",
        meaning="Days for which the archive keeps a row for each ticket. Daily sums stay.",
        allowed="a whole number from 1 to 36500",
        read=values.whole(1, 36_500),
    ),
    Setting(
        name="audit_days",
        default="400",
        meaning="Days for which the archive keeps what staff did and read. The law asks for a year of logs.",
        allowed="a whole number from 1 to 36500",
        read=values.whole(1, 36_500),
    ),
    Setting(
        name="private_targets",
        default="false",
        meaning="Whether webhooks, HL7 and slips for printers may reach loopback and private networks. A hospital that "
        "connects programs or printers of its own network sets it on purpose.",
        allowed="true or false",
        read=values.yes_or_no,
    ),
    Setting(
        name="push_services",
        default="",
        shown_default="none: phones ring only with their page open",
        meaning="Push services that may be used to reach a patient's phone with its page closed. `known` means those "
        "of Chrome, Firefox, Safari and Edge. The delivery process connects to them.",
        allowed="known, or up to 16 host names, comma separated; names below them are allowed too",
        read=values.push_services,
    ),
    Setting(
        name="scans_first",
        default="true",
        meaning="Whether deliveries and the archive get only the processor time that scans leave. Set `false` where "
        "other programs in the service's own control group fill the machine: there webhooks would wait without end.",
        allowed="true or false",
        read=values.yes_or_no,
    ),
    Setting(
        name="log_level",
        default="info",
        meaning="Lowest level of log lines that are written.",
        allowed="debug, info, warning, error",
        read=values.one_of("debug", "info", "warning", "error"),
    ),
)


def table_in_markdown() -> str:
    """The rows of ``docs/settings.md``."""
    rows = ["| setting | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for setting in TABLE:
        default = setting.shown_default or f"`{setting.default}`"
        rows.append(f"| `{setting.env}` | {default} | {setting.allowed} | {setting.meaning} |")
    return "\n".join(rows)
