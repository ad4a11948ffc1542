"""The commands, as an operator types them: on a real data folder, whether ``kiosk serve`` runs or not."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kiosk.__main__ import program
from tests.kiosk import process_tree
from tests.kiosk.cli.command_output import json_of, refused
from tests.kiosk.in_process import kiosk


def commands_below(command: click.Command, *arguments: str) -> Iterator[tuple[str, ...]]:
    """The words of a command and of each command below it."""
    yield arguments
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands_below(below, *arguments, name)


@pytest.mark.parametrize("arguments", list(commands_below(program)), ids=" ".join)
def test_every_command_explains_itself_without_settings_or_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("KIOSK_DATA_DIR", str(tmp_path / "never made"))
    monkeypatch.setenv("KIOSK_PORT", "nonsense")
    done = CliRunner().invoke(program, [*arguments, "--help"], prog_name="kiosk")
    assert done.exit_code == 0
    assert done.output.startswith("Usage: kiosk")
    assert not (tmp_path / "never made").exists()


def test_the_installed_program_explains_itself(tmp_path: Path) -> None:
    done = process_tree.kiosk(tmp_path / "never made", "--help", KIOSK_PORT="nonsense")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: kiosk")


def test_a_first_password_is_printed_once_and_kept_nowhere(hospital: Path) -> None:
    reply = json_of(hospital, "staff", "add", "Anu", "--facility", "IN01", "--role", "clerk")
    assert reply["login"] == "anu"
    assert len(reply["password"]) >= 16
    files = b"".join(file.read_bytes() for file in hospital.rglob("*") if file.is_file())
    assert reply["password"].encode() not in files
    assert "anu" in kiosk(hospital, "staff", "list", "--facility", "IN01").stdout
    assert json_of(hospital, "staff", "reset", "anu")["password"] != reply["password"]
    assert "exists" in refused(hospital, "staff", "add", "anu", "--facility", "IN01", "--role", "admin")
    assert "no facility IN99" in refused(hospital, "staff", "add", "x1", "--facility", "IN99", "--role", "clerk")
    assert "admin" in refused(hospital, "staff", "add", "x2", "--facility", "*", "--role", "clerk")
    assert json_of(hospital, "staff", "add", "state", "--facility", "*", "--role", "admin")["facility"] == "*"


def test_an_api_key_is_printed_once_listed_and_revoked(hospital: Path) -> None:
    arguments = ("apikey", "add", "HIS", "--facility", "IN01", "--scope")
    made = json_of(hospital, *arguments, "tickets:read,profiles:read")
    assert made["key"].startswith(f"kiosk_{made['id']}_")
    assert made["scopes"] == ["profiles:read", "tickets:read"]
    files = b"".join(file.read_bytes() for file in hospital.rglob("*") if file.is_file())
    assert made["key"].encode() not in files
    listed = json.loads(kiosk(hospital, "apikey", "list", "--json").stdout)
    assert [(one["id"], one["last_used"], one["by"]) for one in listed] == [(made["id"], "never", "(command line)")]
    assert "tickets:read, tickets:write, profiles:read" in refused(hospital, *arguments, "everything")
    assert "no facility IN99" in refused(hospital, *arguments[:3], "--facility", "IN99", "--scope", "tickets:read")
    assert json_of(hospital, "apikey", "revoke", made["id"])["id"] == made["id"]
    assert "no key" in refused(hospital, "apikey", "revoke", made["id"])
    assert kiosk(hospital, "apikey", "list").stdout == "no key yet\n"


def test_keys_rotate_and_no_secret_is_shown(hospital: Path) -> None:
    before = kiosk(hospital, "keys", "list", "--json").stdout
    coming = next(one["kid"] for one in json.loads(before) if one["state"] == "next")
    assert json_of(hospital, "keys", "rotate")["signing"] == coming
    after = kiosk(hospital, "keys", "list").stdout
    assert f"{coming}  signing" in after
    ring = json.loads((hospital / "keyring.json").read_bytes())
    assert [one for one in ring["generations"] if one["secret"] in after + before] == []
    keys = json.loads(kiosk(hospital, "keys", "list", "--json").stdout)
    following = next(one["kid"] for one in keys if one["state"] == "next")
    revoked = json_of(hospital, "keys", "revoke", coming)["revoked"]
    assert revoked == sorted([coming, following]), "the next key lay in the same file"
    assert "no key of this id" in refused(hospital, "keys", "revoke", "nosuchid")


def test_a_posters_qr_says_the_bare_name_of_the_counter(hospital: Path, tmp_path: Path) -> None:
    text = kiosk(hospital, "qr", "IN01", "m2").stdout.strip()
    assert text == "https://phrsbx.abdm.gov.in/share-profile?hip-id=IN01&counter-id=M2"
    files = {kind: tmp_path / f"m2.{kind}" for kind in ("svg", "png", "poster")}
    arguments = [word for kind, file in files.items() for word in (f"--{kind}", str(file))]
    assert kiosk(hospital, "qr", "IN01", "M2", *arguments).returncode == 0
    assert files["svg"].read_bytes().lstrip().startswith(b"<svg")
    assert files["png"].read_bytes()[:4] == files["poster"].read_bytes()[:4] == b"\x89PNG"
    assert "no counter M9" in refused(hospital, "qr", "IN01", "M9")
    assert "No such file or directory" in refused(hospital, "qr", "IN01", "M1", "--png", "/nowhere/m1.png")


def test_doctor_says_what_holds_and_what_to_do(hospital: Path) -> None:
    done = kiosk(hospital, "doctor")
    assert done.returncode == 0, done.stdout
    assert "a 202 survives kill -9 of everything" in done.stdout
    ill = kiosk(
        hospital, "doctor", "--json", KIOSK_GATEWAY_URL="http://127.0.0.1:9", KIOSK_GATEWAY_CLIENT_ID="me",
        KIOSK_GATEWAY_CLIENT_SECRET="very-secret", KIOSK_PROT="1",
    )  # fmt: skip
    assert ill.returncode == 1
    verdicts = {(one["what"], one["verdict"]) for one in json.loads(ill.stdout)}
    assert {("gateway", "wrong"), ("settings", "warning"), ("promise", "ok")} <= verdicts
    assert "very-secret" not in ill.stdout + ill.stderr


def test_commands_need_no_server_and_leave_none_behind(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    added = process_tree.kiosk(data_dir, "facility", "add", "IN01", "--name", "Alone")
    assert (added.returncode, added.stderr) == (0, "")
    listed = process_tree.kiosk(data_dir, "facility", "list", "--json")
    assert [one["name"] for one in json.loads(listed.stdout)] == ["Alone"]
    assert process_tree.processes_on(data_dir) == []
