"""Settings: a wrong one stops the start with one line, and never says a secret aloud."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kiosk import settings
from kiosk.settings import SettingsWrong, load, table
from kiosk.settings.table import TABLE

SECRET = "0b4d-very-secret-5e55"


def refusal(**environ: str) -> str:
    with pytest.raises(SettingsWrong) as caught:
        load(environ)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_nothing_said_gives_the_documented_defaults() -> None:
    found = load({})
    assert (found.host, found.port, found.workers) == ("127.0.0.1", 8000, 1)
    assert found.public_url == "http://127.0.0.1:8000"
    assert found.data_dir == Path("data").resolve()
    assert found.redis_url is None
    assert not found.abdm
    assert found.gateway_issuers[0] == "https://dev.abdm.gov.in/auth/realms/central-registry"
    assert "https://live.ndhm.gov.in/auth/realms/gateway" in found.gateway_issuers
    assert (found.gateway_token_age_max, found.gateway_late_deliveries, found.gateway_addresses) == (86_400, True, ())
    assert (found.gateway_audience, found.gateway_azps, found.cm_id) == ("account", ("gateway",), "sbx")
    assert (found.archive_url, found.archive_days) == (None, 800)
    assert (found.facility_rate, found.facility_burst, found.timezone) == (20.0, 200, "Asia/Kolkata")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "80a"),
        ("PORT", "٨٠"),
        ("WORKERS", "0"),
        ("WORKERS", "65"),
        ("HOST", "two sentence"),
        ("PUBLIC_URL", "https://kiosk.example/path?query"),
        ("PUBLIC_URL", "ftp://kiosk.example"),
        ("PUBLIC_URL", "https://kiosk.example:99999"),
        ("GATEWAY_URL", "http://dev.abdm.gov.in"),
        ("GATEWAY_URL", "https://user:pass@dev.abdm.gov.in"),
        ("QR_HOST", "phrsbx.abdm.gov.in"),
        ("REDIS_URL", "http://127.0.0.1"),
        ("REDIS_URL", "redis://one:1,two:2"),
        ("STORE_VOUCHED", "everything"),
        ("ARCHIVE_URL", "mysql://archive"),
        ("ARCHIVE_URL", "postgresql+psycopg2://archive"),
        ("ARCHIVE_DAYS", "0"),
        ("TIMEZONE", "Asia/Srinagar"),
        ("TIMEZONE", "../etc/passwd"),
        ("GATEWAY_TOKEN_AGE_MAX", "60"),
        ("GATEWAY_LATE_DELIVERIES", "perhaps"),
        ("GATEWAY_ADDRESSES", "203.0.113.0/33"),
        ("GATEWAY_ADDRESSES", "abdm.gov.in"),
        ("FACILITY_RATE", "nan"),
        ("FACILITY_RATE", "inf"),
        ("FACILITY_BURST", "1.5"),
        ("RETENTION_H", "721"),
        ("GATEWAY_ISSUER", " , "),
        ("DATA_DIR", "/"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_setting_and_what_is_allowed(name: str, text: str) -> None:
    sentence = refusal(**{f"KIOSK_{name}": text})
    row = next(row for row in TABLE if row.env == f"KIOSK_{name}")
    assert sentence.startswith(f"KIOSK_{name} is ")
    assert sentence.endswith(f"allowed: {row.allowed}")
    assert row.secret or repr(text) in sentence


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
@hypothesis_settings(deadline=None)  # a busy machine is no failure
@given(text=st.text(min_size=1, max_size=200))
def test_no_text_whatever_breaks_the_reader(row: table.Setting, text: str) -> None:
    """Any text is a value or a refusal in one line; nothing else ever comes out."""
    sentence = ""
    try:
        load({row.env: text})
    except SettingsWrong as wrong:
        sentence = str(wrong)
    assert "\n" not in sentence


def test_plain_http_to_the_gateway_is_for_this_machine_only() -> None:
    for url in ("http://127.0.0.1:9", "http://[::1]:9", "http://localhost:9/base/"):
        assert load({"KIOSK_GATEWAY_URL": url}).gateway_url == url.rstrip("/")
    assert "loopback" in refusal(KIOSK_GATEWAY_URL="http://10.0.0.1:9")
    assert "loopback" in refusal(KIOSK_GATEWAY_URL="http://localhost.example")


def test_a_secret_is_never_repeated() -> None:
    assert SECRET not in refusal(KIOSK_GATEWAY_CLIENT_SECRET=f"{SECRET} with spaces", KIOSK_GATEWAY_CLIENT_ID="me")
    assert SECRET not in refusal(KIOSK_REDIS_URL=f"redis://:{SECRET}@host:port")
    assert SECRET not in refusal(KIOSK_REDIS_URL=f"{SECRET}://host")
    found = load({"KIOSK_GATEWAY_CLIENT_SECRET": SECRET, "KIOSK_GATEWAY_CLIENT_ID": "me"})
    assert found.gateway_client_secret == SECRET
    assert SECRET not in repr(found)


def test_the_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    named = {"KIOSK_GATEWAY_CLIENT_ID": "me", "KIOSK_GATEWAY_CLIENT_SECRET_FILE": str(file)}
    assert load(named).gateway_client_secret == SECRET
    assert "not both" in refusal(**named, KIOSK_GATEWAY_CLIENT_SECRET="another")
    file.unlink()
    assert "No such file" in refusal(**named)


def test_half_of_the_credentials_is_a_mistake_and_not_abdm_off() -> None:
    assert refusal(KIOSK_GATEWAY_CLIENT_ID="me").startswith("KIOSK_GATEWAY_CLIENT_SECRET is missing")
    assert refusal(KIOSK_GATEWAY_CLIENT_SECRET=SECRET).startswith("KIOSK_GATEWAY_CLIENT_ID is missing")


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text('port = 9001\nworkers = 3\nKIOSK_TIMEZONE = "UTC"\ngateway_azp = ["gateway", "other"]\n')
    found = load({"KIOSK_CONFIG": str(file), "KIOSK_PORT": "9002", "KIOSK_WORKERS": ""})
    assert (found.port, found.workers, found.timezone, found.gateway_azps) == (9002, 3, "UTC", ("gateway", "other"))


@pytest.mark.parametrize("content", ["port = = 1", "port = true", "[port]\nx = 1", "\0", "x" * 70_000])
def test_a_file_that_is_no_list_of_settings_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(content)
    refusal(KIOSK_CONFIG=str(file))
    refusal(KIOSK_CONFIG=str(tmp_path / "missing.toml"))


def test_a_store_on_the_network_needs_encryption_or_the_operators_word() -> None:
    assert "without TLS" in refusal(KIOSK_REDIS_URL=f"redis://:{SECRET}@10.0.0.5")
    assert SECRET not in refusal(KIOSK_REDIS_URL=f"redis://:{SECRET}@10.0.0.5")
    assert "without TLS" in refusal(KIOSK_REDIS_URL="redis+cluster://127.0.0.1:1,10.0.0.5:1")
    assert "without TLS" in refusal(KIOSK_REDIS_URL="redis://redis:6379/0")
    for url in ("rediss://10.0.0.5", "redis://[::1]", "redis://localhost", "unix:///run/valkey.sock"):
        assert load({"KIOSK_REDIS_URL": url}).redis_url == url
    settings = {"KIOSK_REDIS_URL": "redis+cluster://10.0.0.5,10.0.0.6", "KIOSK_INSECURE_STORE": "yes"}
    assert load(settings).redis_url


def test_a_misspelt_name_is_told() -> None:
    assert settings.unknown_names({"KIOSK_PROT": "1", "KIOSK_PORT": "1", "KIOSK_CONFIG": ""}) == ["KIOSK_PROT"]


def test_the_page_about_settings_agrees_with_the_program() -> None:
    page = (Path(__file__).parents[3] / "docs" / "settings.md").read_text("utf-8")
    assert table.table_in_markdown() in page, (
        "paste the output of kiosk.table.table_in_markdown() into docs/settings.md"
    )
    mentioned = set(re.findall(r"KIOSK_[A-Z_]+", page))
    assert mentioned <= {row.env for row in TABLE} | {"KIOSK_CONFIG", "KIOSK_GATEWAY_CLIENT_SECRET_FILE"}
