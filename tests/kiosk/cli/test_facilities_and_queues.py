"""``kiosk facility`` and ``kiosk queue``, while ``kiosk serve`` runs."""

import json
from pathlib import Path

from tests.kiosk.cli.command_output import json_of, refused, register
from tests.kiosk.in_process import kiosk


def test_a_queue_counts_at_once_while_serving(hospital: Path) -> None:
    arguments = ("queue", "add", "IN01", "lab", "--name", "Laboratory", "--prefix", "lab", "--counters", "2")
    assert json_of(hospital, *arguments)["counters"] == ["LAB1", "LAB2"]
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
    arguments = ("queue", "add", "IN01", "medicine", "--name", "General Medicine", "--prefix", "M", "--counters", "1")
    assert json_of(hospital, *arguments)["counters"] == ["M1", "M2", "M3"]
    after = kiosk(hospital, "queue", "list", "IN01", "--json").stdout
    assert after == before.replace('"Medicine"', '"General Medicine"')


def test_a_facility_is_shown_what_a_copy_would_make_and_made_from_a_template(hospital: Path) -> None:
    arguments = ("facility", "copy", "IN01", "IN31")
    assert "IN31 is not registered" in refused(hospital, *arguments)
    assert "no template of itself" in refused(hospital, "facility", "copy", "IN01", "IN01")
    json_of(hospital, "facility", "add", "IN31", "--name", "Copied Hospital")
    template = json.loads(kiosk(hospital, "queue", "list", "IN01", "--json").stdout)
    shown = json_of(hospital, *arguments)
    assert (shown["made"], shown["queues"]) == (False, [one["queue"]["id"] for one in template])
    assert "nothing was written" in kiosk(hospital, *arguments).stdout
    assert json.loads(kiosk(hospital, "queue", "list", "IN31", "--json").stdout) == []
    assert json_of(hospital, *arguments, "--make")["counters"] == shown["counters"]
    assert json.loads(kiosk(hospital, "queue", "list", "IN31", "--json").stdout) == template
    again = json_of(hospital, *arguments, "--make")
    assert (again["queues"], again["counters"], again["rules"]) == ([], [], False)
    assert {one["why"] for one in again["left_out"]} == {"there"}


def test_an_alias_leads_to_a_facility(hospital: Path) -> None:
    assert json_of(hospital, "facility", "alias", "IN01", "IN01_1") == {"alias": "IN01_1", "hip_id": "IN01"}
    assert "IN99 is not registered" in refused(hospital, "facility", "alias", "IN99", "IN99_1")
    assert json_of(hospital, "facility", "alias", "IN01", "IN01_1", "--forget")["hip_id"] is None


def test_a_hospitals_own_networks_come_from_a_column_or_a_command_and_stay(hospital: Path, tmp_path: Path) -> None:
    def networks() -> object:
        rows = json.loads(kiosk(hospital, "facility", "list", "--json").stdout)
        return next(one["networks"] for one in rows if one["hip_id"] == "IN85")

    content = "hip_id,name,networks\nIN85,Campus,10.20.1.1/16 192.0.2.7\n"
    json_of(hospital, "facility", "import", register(tmp_path, content))
    assert networks() == ["10.20.0.0/16", "192.0.2.7/32"]
    json_of(hospital, "facility", "import", register(tmp_path, "hip_id,name\nIN85,Campus\n"))
    assert networks() == ["10.20.0.0/16", "192.0.2.7/32"]
    wrong = register(tmp_path, "hip_id,name,networks\nIN85,Campus,0.0.0.0/0\n")
    assert "column networks: does not fit: 0.0.0.0/0 is wider" in refused(hospital, "facility", "import", wrong)
    assert json_of(hospital, "facility", "networks", "IN85", "10.1.0.0/16")["networks"] == ["10.1.0.0/16"]
    assert "no network" in refused(hospital, "facility", "networks", "IN85", "everywhere")
    assert "not registered" in refused(hospital, "facility", "networks", "IN99", "10.1.0.0/16")
    json_of(hospital, "facility", "networks", "IN85")
    assert networks() == []


def test_what_a_file_or_command_does_not_name_stays_as_it_is(hospital: Path, tmp_path: Path) -> None:
    def stored() -> dict[str, object]:
        rows = json.loads(kiosk(hospital, "facility", "list", "--json").stdout)
        (found,) = [one for one in rows if one["hip_id"] == "IN86"]
        return {name: found[name] for name in ("name", "district", "latitude", "longitude", "extra")}

    whole = "hip_id,name,district,state,latitude,longitude,beds\nIN86,Campus,Baramulla,J&K,34.2,74.3,80\n"
    json_of(hospital, "facility", "import", register(tmp_path, whole))
    before = stored()
    assert (before["district"], before["latitude"], before["extra"]) == ("Baramulla", 34.2, {"beds": "80"})
    json_of(hospital, "facility", "import", register(tmp_path, "hip_id,name,no_show_after_s\nIN86,Campus,60\n"))
    assert stored() == before
    json_of(hospital, "facility", "add", "IN86", "--name", "New Campus", "--latitude", "34.3", "--longitude", "74.4")
    assert stored() == before | {"name": "New Campus", "latitude": 34.3, "longitude": 74.4}
    json_of(hospital, "facility", "import", register(tmp_path, "hip_id,name,district\nIN86,Campus,\n"))
    assert stored()["district"] == "", "a column with an empty cell empties"


def test_hours_of_a_queue_and_holidays_of_a_facility(hospital: Path, tmp_path: Path) -> None:
    json_of(hospital, "facility", "add", "IN86", "--name", "Campus")
    json_of(hospital, "queue", "add", "IN86", "eye", "--name", "Eye", "--prefix", "E")
    known = json_of(hospital, "queue", "hours", "IN86", "eye", "Mon-Fri 9-14", "Sat 9-12")
    assert known["hours"] == ["Mon–Fri 09:00–14:00", "Sat 09:00–12:00"]
    assert "“Funday” is no day" in refused(hospital, "queue", "hours", "IN86", "eye", "Funday 9-14")
    assert "no queue ear" in refused(hospital, "queue", "hours", "IN86", "ear", "Mon 9-14")
    queues = json.loads(kiosk(hospital, "queue", "list", "IN86", "--json").stdout)
    assert len(queues[0]["queue"]["hours"]) == 12
    assert json_of(hospital, "queue", "hours", "IN86", "eye", "always")["hours"] == []
    days = register(tmp_path, "25 Dec 2026 Christmas\n")
    assert json_of(hospital, "facility", "holidays", "IN86", days)["holidays"] == ["2026-12-25 Christmas"]
    assert "Line 1" in refused(hospital, "facility", "holidays", "IN86", register(tmp_path, "soon"))


def test_a_queue_is_added_with_names_typed_or_of_a_usual_clinic(hospital: Path) -> None:
    arguments = ("queue", "add", "IN01", "ent", "--name", "ENT", "--prefix", "EN")
    added = json_of(hospital, *arguments, "--clinic", "ent", "--name-hi", "कान")
    assert added["names"]["hi"] == "कान"
    assert added["names"]["ur"] == "کان، ناک، گلا"
    assert added["department_code"] == "394604002"
    assert "department_code is no code" in refused(hospital, *arguments, "--department-code", "7")


def test_a_queue_and_its_counter_are_removed_unless_something_uses_them(hospital: Path) -> None:
    before = kiosk(hospital, "queue", "list", "IN01", "--json").stdout
    json_of(hospital, "queue", "add", "IN01", "typo", "--name", "Typo", "--prefix", "ty", "--counters", "1")
    assert "typo stays: a counter serves it" in refused(hospital, "queue", "remove", "IN01", "typo")
    assert "no TY9 in IN01" in refused(hospital, "queue", "remove-counter", "IN01", "TY9")
    assert json_of(hospital, "queue", "remove-counter", "IN01", "TY1")["counter"] == "TY1"
    assert json_of(hospital, "queue", "remove", "IN01", "typo")["queue"] == "typo"
    assert "no typo in IN01" in refused(hospital, "queue", "remove", "IN01", "typo")
    assert kiosk(hospital, "queue", "list", "IN01", "--json").stdout == before


def test_a_login_that_was_never_used_is_removed(hospital: Path) -> None:
    json_of(hospital, "staff", "add", "typo", "--facility", "IN01", "--role", "clerk")
    assert json_of(hospital, "staff", "remove", "typo") == {"login": "typo"}
    assert "no login typo" in refused(hospital, "staff", "remove", "typo")
    audit = json.loads(kiosk(hospital, "staff", "audit", "--facility", "IN01", "--json").stdout)
    acts = [one["act"] for one in audit]
    assert acts[:2] == ["admin_staff-removed", "admin_staff"]
