"""The commands, as an operator types them: on a real data folder, whether ``kiosk serve`` runs or not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kiosk.__main__ import program
from tests.kiosk import process_tree
from tests.kiosk.in_process import kiosk
from tests.kiosk.process_tree import serving


def commands_below(command: click.Command, *words: str) -> Iterator[tuple[str, ...]]:
    """The words of a command and of each command below it."""
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands_below(below, *words, name)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose ``kiosk serve`` runs, with one facility and one queue."""
    data_dir = tmp_path_factory.mktemp("home") / "data"
    assert kiosk(data_dir, "facility", "add", "IN01", "--name", "District Hospital").returncode == 0
    added = kiosk(
        data_dir, "queue", "add", "IN01", "medicine", "--name", "Medicine", "--prefix", "m", "--counters", "3"
    )
    assert added.returncode == 0
    with serving(data_dir) as tree:
        tree.ready()
        yield data_dir


def json_of(data_dir: Path, *words: str) -> dict[str, Any]:
    done = kiosk(data_dir, *words, "--json")
    assert done.returncode == 0, done.stderr
    reply: dict[str, Any] = json.loads(done.stdout)
    return reply


def refused(data_dir: Path, *words: str) -> str:
    """The one line with which a command failed."""
    done = kiosk(data_dir, *words)
    assert done.returncode != 0
    assert done.stderr.startswith("kiosk: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return done.stderr


@pytest.mark.parametrize("words", list(commands_below(program)), ids=" ".join)
def test_every_command_explains_itself_without_settings_or_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("KIOSK_DATA_DIR", str(tmp_path / "never made"))
    monkeypatch.setenv("KIOSK_PORT", "nonsense")
    done = CliRunner().invoke(program, [*words, "--help"], prog_name="kiosk")
    assert done.exit_code == 0
    assert done.output.startswith("Usage: kiosk")
    assert not (tmp_path / "never made").exists()


def test_the_installed_program_explains_itself(tmp_path: Path) -> None:
    done = process_tree.kiosk(tmp_path / "never made", "--help", KIOSK_PORT="nonsense")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: kiosk")


def test_a_queue_counts_at_once_while_serving(hospital: Path) -> None:
    words = ("queue", "add", "IN01", "lab", "--name", "Laboratory", "--prefix", "lab", "--counters", "2")
    assert json_of(hospital, *words)["counters"] == ["LAB1", "LAB2"]
    listed = kiosk(hospital, "queue", "list", "IN01").stdout
    assert "Laboratory" in listed
    assert "M1 M2 M3" in listed


def test_what_does_not_fit_is_refused_in_one_line(hospital: Path) -> None:
    queue = ("queue", "add", "IN01", "x", "--name", "X")
    assert "no facility IN99" in refused(hospital, "queue", "add", "IN99", "x", "--name", "X", "--prefix", "X")
    assert "stands before another queue" in refused(hospital, *queue, "--prefix", "M")
    assert "prefix is no prefix" in refused(hospital, *queue, "--prefix", "four")
    assert "counters is no whole number" in refused(hospital, *queue, "--prefix", "X", "--counters", "100")
    assert "queue is no id" in refused(hospital, "queue", "add", "IN01", "a b", "--name", "X", "--prefix", "X")
    assert "go together" in refused(hospital, "facility", "add", "IN02", "--name", "X", "--latitude", "3")
    assert "see `kiosk queue add --help`" in refused(hospital, "queue", "add", "IN01")
    assert "No such command" in refused(hospital, "dance")


def test_adding_a_queue_again_changes_its_name_and_nothing_else(hospital: Path) -> None:
    before = kiosk(hospital, "queue", "list", "IN01", "--json").stdout
    words = ("queue", "add", "IN01", "medicine", "--name", "General Medicine", "--prefix", "M", "--counters", "1")
    assert json_of(hospital, *words)["counters"] == ["M1", "M2", "M3"]
    after = kiosk(hospital, "queue", "list", "IN01", "--json").stdout
    assert after == before.replace('"Medicine"', '"General Medicine"')


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
    words = ("apikey", "add", "HIS", "--facility", "IN01", "--scope")
    made = json_of(hospital, *words, "tickets:read,profiles:read")
    assert made["key"].startswith(f"kiosk_{made['id']}_")
    assert made["scopes"] == ["profiles:read", "tickets:read"]
    files = b"".join(file.read_bytes() for file in hospital.rglob("*") if file.is_file())
    assert made["key"].encode() not in files
    listed = json.loads(kiosk(hospital, "apikey", "list", "--json").stdout)
    assert [(one["id"], one["last_used"], one["by"]) for one in listed] == [(made["id"], "never", "(command line)")]
    assert "tickets:read, tickets:write, profiles:read" in refused(hospital, *words, "everything")
    assert "no facility IN99" in refused(hospital, *words[:3], "--facility", "IN99", "--scope", "tickets:read")
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
    words = [word for kind, file in files.items() for word in (f"--{kind}", str(file))]
    assert kiosk(hospital, "qr", "IN01", "M2", *words).returncode == 0
    assert files["svg"].read_bytes().lstrip().startswith(b"<svg")
    assert files["png"].read_bytes()[:4] == files["poster"].read_bytes()[:4] == b"\x89PNG"
    assert "no counter M9" in refused(hospital, "qr", "IN01", "M9")
    assert "No such file or directory" in refused(hospital, "qr", "IN01", "M1", "--png", "/nowhere/m1.png")


def test_a_facility_is_shown_what_a_copy_would_make_and_made_from_a_template(hospital: Path) -> None:
    words = ("facility", "copy", "IN01", "IN31")
    assert "IN31 is not registered" in refused(hospital, *words)
    assert "no template of itself" in refused(hospital, "facility", "copy", "IN01", "IN01")
    json_of(hospital, "facility", "add", "IN31", "--name", "Copied Hospital")
    template = json.loads(kiosk(hospital, "queue", "list", "IN01", "--json").stdout)
    shown = json_of(hospital, *words)
    assert (shown["made"], shown["queues"]) == (False, [one["queue"]["id"] for one in template])
    assert "nothing was written" in kiosk(hospital, *words).stdout
    assert json.loads(kiosk(hospital, "queue", "list", "IN31", "--json").stdout) == []
    assert json_of(hospital, *words, "--make")["counters"] == shown["counters"]
    assert json.loads(kiosk(hospital, "queue", "list", "IN31", "--json").stdout) == template
    again = json_of(hospital, *words, "--make")
    assert (again["queues"], again["counters"], again["rules"]) == ([], [], False)
    assert {one["why"] for one in again["left_out"]} == {"there"}


def test_an_alias_leads_to_a_facility(hospital: Path) -> None:
    assert json_of(hospital, "facility", "alias", "IN01", "IN01_1") == {"alias": "IN01_1", "hip_id": "IN01"}
    assert "IN99 is not registered" in refused(hospital, "facility", "alias", "IN99", "IN99_1")
    assert json_of(hospital, "facility", "alias", "IN01", "IN01_1", "--forget")["hip_id"] is None


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
    with serving(data_dir) as tree:
        assert tree.ready()


class TestImport:
    """A register of facilities, and their queues."""

    def file(self, folder: Path, content: str, *, encoding: str = "utf-8") -> str:
        path = folder / "register.csv"
        path.write_bytes(content.encode(encoding))
        return str(path)

    def test_spreadsheets_habits_are_taken(self, hospital: Path, tmp_path: Path) -> None:
        content = (
            "\ufeffNAME,hip_id ,beds,latitude,longitude,district\r\n"
            '"Hospital, Sub ""District""",IN10,30,34.1,74.8,Srinagar\r\n'
            "\r\nज़िला अस्पताल,IN11,,,,\r\n"
        )
        assert json_of(hospital, "facility", "import", self.file(tmp_path, content))["facilities"] == 2
        found = {one["hip_id"]: one for one in json.loads(kiosk(hospital, "facility", "list", "--json").stdout)}
        assert found["IN10"]["name"] == 'Hospital, Sub "District"'
        assert found["IN10"]["extra"] == {"beds": "30"}
        assert (found["IN10"]["latitude"], found["IN11"]["name"], found["IN11"]["extra"]) == (34.1, "ज़िला अस्पताल", {})

    def test_one_mistake_changes_nothing_and_every_mistake_is_told_by_line_and_column(
        self, hospital: Path, tmp_path: Path
    ) -> None:
        content = (
            "hip_id,name,latitude,longitude\nIN20,Good,34,74\n,Nameless,34,74\nIN21,Far,95,74\n"
            "IN22,Half,34,\nIN23,a,b,c,d\n"
        )
        words = refused(hospital, "facility", "import", self.file(tmp_path, content))
        assert "4 mistakes, nothing was written" in words
        for mistake in (
            "line 3, column hip_id: is empty",
            "line 4, column latitude: is no number from -90 to 90",
            "line 5, column longitude: is empty, and latitude",
            "line 6, column 5: has no name in the header",
        ):
            assert mistake in words
        assert "IN20" not in kiosk(hospital, "facility", "list").stdout

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("", "line 1: the header has no column hip_id and no column name"),
            ("hip_id;name\nIN30;X\n", "the header has no column hip_id"),
            ("hip_id,name,name\nIN30,X,Y\n", "column name stands twice"),
            ('hip_id,name\nIN30,"X\n', "not CSV"),
            (f"hip_id,name\nIN30,{'x' * 5000}\n", "not CSV"),
            ("hip_id,name\nIN30,a\x1b[31mb\n", "line 2, column name: holds the character U+001B ESCAPE"),
            ("hip_id,name\nIN30,a\u202eb\n", "line 2, column name: holds the character U+202E RIGHT-TO-LEFT OVERRIDE"),
            ("hip_id,name\n" + ",X\n" * 30, "20 mistakes, nothing was written"),
            ("hip_id,name\n" + ",X\n" * 30, "reading stopped at line 21"),
            ("hip_id,name,rate\nIN30,X,0\n", "line 2, column rate: is no number from 0.1 to 10000"),
            ("hip_id,name,burst\nIN30,X,1.5\n", "line 2, column burst: is no whole number from 1 to 100000"),
            ("hip_id,name,no_show_after_s\nIN30,X,-1\n", "column no_show_after_s: is no whole number from 0 to 86400"),
            ("hip_id,name,timezone\nIN30,X,Asia/Atlantis\n", "line 2, column timezone: is no time zone"),
        ],
    )
    def test_what_is_no_register_is_refused(self, hospital: Path, tmp_path: Path, content: str, words: str) -> None:
        assert words in refused(hospital, "facility", "import", self.file(tmp_path, content))

    def test_a_registers_own_columns_and_habits_are_understood(self, hospital: Path, tmp_path: Path) -> None:
        content = (
            "facilityId,facilityName,stateName,districtName,pincode,latitude,longitude\n"
            "IN50,District\u00a0Hospital,JAMMU AND KASHMIR,NA,190003,NA,NA\n"
            "IN51,ضلع ہسپتال بارہ\u200cمولہ,,,,34.1,74.8\nIN52,ہسپتال\u200f,,,,,\n"
        )
        json_of(hospital, "facility", "import", self.file(tmp_path, content))
        found = {one["hip_id"]: one for one in json.loads(kiosk(hospital, "facility", "list", "--json").stdout)}
        assert [found[f"IN5{number}"]["name"] for number in range(3)] == [
            "District Hospital",
            "ضلع ہسپتال بارہ\u200cمولہ",
            "ہسپتال",
        ]
        assert (found["IN50"]["state"], found["IN50"]["district"]) == ("JAMMU AND KASHMIR", "")
        assert found["IN50"]["latitude"] is None

    def test_a_facilitys_own_limits_and_no_show_rule_come_from_columns_and_an_empty_cell_changes_nothing(
        self, hospital: Path, tmp_path: Path
    ) -> None:
        def policies(content: str) -> list[tuple[object, ...]]:
            json_of(hospital, "facility", "import", self.file(tmp_path, content))
            rows = {one["hip_id"]: one for one in json.loads(kiosk(hospital, "facility", "list", "--json").stdout)}
            found = [rows[hip]["policy"] for hip in ("IN80", "IN81")]
            return [(one["rate"], one["burst"], one["no_show_after_s"], rows["IN80"]["extra"]) for one in found]

        head = "hip_id,name,rate,burst,no_show_after_s\n"
        assert policies(f"{head}IN80,Large,40,400,300\nIN81,Small,,NA,\n") == [(40, 400, 300, {}), (None, None, 0, {})]
        assert policies(f"{head}IN80,Large,,500.0,0\nIN81,Small,2.5,,\n") == [(40, 500, 0, {}), (2.5, None, 0, {})]
        assert policies("hip_id,name\nIN80,Large\nIN81,Small\n") == [(40, 500, 0, {}), (2.5, None, 0, {})]

    def test_a_hospitals_own_networks_come_from_a_column_or_a_command_and_stay(
        self, hospital: Path, tmp_path: Path
    ) -> None:
        def networks() -> object:
            rows = json.loads(kiosk(hospital, "facility", "list", "--json").stdout)
            return next(one["networks"] for one in rows if one["hip_id"] == "IN85")

        content = "hip_id,name,networks\nIN85,Campus,10.20.1.1/16 192.0.2.7\n"
        json_of(hospital, "facility", "import", self.file(tmp_path, content))
        assert networks() == ["10.20.0.0/16", "192.0.2.7/32"]
        json_of(hospital, "facility", "import", self.file(tmp_path, "hip_id,name\nIN85,Campus\n"))
        assert networks() == ["10.20.0.0/16", "192.0.2.7/32"]
        wrong = self.file(tmp_path, "hip_id,name,networks\nIN85,Campus,0.0.0.0/0\n")
        assert "column networks: does not fit: 0.0.0.0/0 is wider" in refused(hospital, "facility", "import", wrong)
        assert json_of(hospital, "facility", "networks", "IN85", "10.1.0.0/16")["networks"] == ["10.1.0.0/16"]
        assert "no network" in refused(hospital, "facility", "networks", "IN85", "everywhere")
        assert "not registered" in refused(hospital, "facility", "networks", "IN99", "10.1.0.0/16")
        json_of(hospital, "facility", "networks", "IN85")
        assert networks() == []

    def test_hours_of_a_queue_and_holidays_of_a_facility(self, hospital: Path, tmp_path: Path) -> None:
        json_of(hospital, "facility", "add", "IN86", "--name", "Campus")
        json_of(hospital, "queue", "add", "IN86", "eye", "--name", "Eye", "--prefix", "E")
        known = json_of(hospital, "queue", "hours", "IN86", "eye", "Mon-Fri 9-14", "Sat 9-12")
        assert known["hours"] == ["Mon–Fri 09:00–14:00", "Sat 09:00–12:00"]
        assert "“Funday” is no day" in refused(hospital, "queue", "hours", "IN86", "eye", "Funday 9-14")
        assert "no queue ear" in refused(hospital, "queue", "hours", "IN86", "ear", "Mon 9-14")
        queues = json.loads(kiosk(hospital, "queue", "list", "IN86", "--json").stdout)
        assert len(queues[0]["queue"]["hours"]) == 12
        assert json_of(hospital, "queue", "hours", "IN86", "eye", "always")["hours"] == []
        days = self.file(tmp_path, "25 Dec 2026 Christmas\n")
        assert json_of(hospital, "facility", "holidays", "IN86", days)["holidays"] == ["2026-12-25 Christmas"]
        assert "Line 1" in refused(hospital, "facility", "holidays", "IN86", self.file(tmp_path, "soon"))

    def test_coordinates_that_cannot_be_right_are_reported_by_line_and_left_out(
        self, hospital: Path, tmp_path: Path
    ) -> None:
        content = (
            "hip_id,name,latitude,longitude\nIN60,Swapped,74.4667,34.2833\nIN61,Nought,0.0,0.0\n"
            "IN62,Sea,-31.2,61.7\nIN63,Right,34.2,74.4\n"
        )
        warnings = json_of(hospital, "facility", "import", self.file(tmp_path, content))["warnings"]
        assert [warning.partition(";")[0] for warning in warnings] == [
            "line 2: latitude and longitude are swapped",
            "line 3: latitude and longitude are 0, which means unknown",
            "line 4: latitude and longitude lie outside India",
        ]
        found = {one["hip_id"]: one for one in json.loads(kiosk(hospital, "facility", "list", "--json").stdout)}
        assert [found[f"IN6{number}"]["latitude"] for number in range(4)] == [None, None, None, 34.2]

    def test_prefixes_of_a_file_are_replaced_by_an_option(self, hospital: Path, tmp_path: Path) -> None:
        json_of(hospital, "facility", "import", self.file(tmp_path, "hip_id,name\nIN70,A\n"))
        content = (
            "hip_id,queue,name,prefix,counters\nIN70,medicine,General Medicine,MEDI,3\n"
            "IN70,room14,Room 14,14,1\nIN70,ent,ENT,N,3.0\n"
        )
        file = self.file(tmp_path, content)
        words = refused(hospital, "queue", "import", file)
        assert "line 2, column prefix: is no prefix of 1 to 3 letters; replace it with --prefix MEDI=ABC" in words
        assert json_of(hospital, "queue", "import", file, "--prefix", "MEDI=MED", "--prefix", "14=R")["queues"] == 3
        listed = kiosk(hospital, "queue", "list", "IN70").stdout
        assert "MED1 MED2 MED3" in listed
        assert "N1 N2 N3" in listed

    def test_another_encoding_is_told_with_the_way_out(self, hospital: Path, tmp_path: Path) -> None:
        file = self.file(tmp_path, "hip_id,name\nIN30,Café\n", encoding="latin-1")
        assert "save it as CSV UTF-8" in refused(hospital, "facility", "import", file)

    def test_the_first_queue_of_a_facility_in_the_file_is_its_default(self, hospital: Path, tmp_path: Path) -> None:
        json_of(hospital, "facility", "import", self.file(tmp_path, "hip_id,name\nIN40,A\nIN41,B\n"))
        content = (
            "hip_id,queue,name,prefix,counters\n"
            "IN40,reg,Registration,R,2\nIN41,med,Medicine,M,\nIN40,med,Medicine,M,1\n"
        )
        assert json_of(hospital, "queue", "import", self.file(tmp_path, content))["queues"] == 3
        listed = json.loads(kiosk(hospital, "facility", "list", "--json").stdout)
        found = {one["hip_id"]: one["default_queue"] for one in listed}
        assert (found["IN40"], found["IN41"]) == ("reg", "med")
        assert "R1 R2" in kiosk(hospital, "queue", "list", "IN40").stdout

    def test_names_of_other_languages_and_the_department_come_with_a_file(self, hospital: Path, tmp_path: Path) -> None:
        header = "hip_id,queue,name,prefix,counters,name_hi,name_ur,department_code\n"
        file = self.file(tmp_path, header + "IN01,skin,Skin OPD,SK,1,त्वचा रोग,,394582007\n")
        assert json_of(hospital, "queue", "import", file)["queues"] == 1
        json_of(hospital, "queue", "import", self.file(tmp_path, header + "IN01,skin,Skin OPD,SK,1,,جلدی امراض,\n"))
        listed = json.loads(kiosk(hospital, "queue", "list", "IN01", "--json").stdout)
        skin = next(one["queue"] for one in listed if one["queue"]["id"] == "skin")
        assert skin["names"] == {"hi": "त्वचा रोग", "ur": "جلدی امراض"}, "an empty cell changes nothing"
        assert skin["department_code"] == "394582007"
        wrong = self.file(tmp_path, header + "IN01,skin,Skin OPD,SK,1,,,394582008\n")
        assert "department_code: is no code of SNOMED CT" in refused(hospital, "queue", "import", wrong)

    def test_a_queue_is_added_with_names_typed_or_of_a_usual_clinic(self, hospital: Path) -> None:
        words = ("queue", "add", "IN01", "ent", "--name", "ENT", "--prefix", "EN")
        added = json_of(hospital, *words, "--clinic", "ent", "--name-hi", "कान")
        assert added["names"]["hi"] == "कान"
        assert added["names"]["ur"] == "کان، ناک، گلا"
        assert added["department_code"] == "394604002"
        assert "department_code is no code" in refused(hospital, *words, "--department-code", "7")

    def test_queues_of_unknown_facilities_are_told_and_the_others_count(self, hospital: Path, tmp_path: Path) -> None:
        content = "hip_id,queue,name,prefix,counters\nIN01,eye,Eye OPD,E,1\nIN77,eye,Eye OPD,E,1\n"
        words = refused(hospital, "queue", "import", self.file(tmp_path, content))
        assert "1 queues added or updated, 1 refused: line 3: no facility IN77" in words
        assert "Eye OPD" in kiosk(hospital, "queue", "list", "IN01").stdout

    def test_a_whole_states_register_is_a_matter_of_moments(self, hospital: Path, tmp_path: Path) -> None:
        lines = (f"IN9{number:07d},Hospital {number},District {number % 20},J&K,34.1,74.8" for number in range(30_000))
        file = self.file(tmp_path, "hip_id,name,district,state,latitude,longitude\n" + "\n".join(lines))
        imported = process_tree.kiosk(hospital, "facility", "import", file, "--json")
        assert json.loads(imported.stdout)["facilities"] == 30_000
        listed = process_tree.kiosk(hospital, "facility", "list", "--json")
        assert listed.stdout.count('"hip_id": "IN9') == 30_000
