"""``kiosk facility import`` and ``kiosk queue import``: registers of facilities and of queues as CSV files."""

import json
from pathlib import Path

import pytest

from tests.kiosk import process_tree
from tests.kiosk.cli.command_output import json_of, refused, register
from tests.kiosk.in_process import kiosk


def test_spreadsheets_habits_are_taken(hospital: Path, tmp_path: Path) -> None:
    content = (
        "\ufeffNAME,hip_id ,beds,latitude,longitude,district\r\n"
        '"Hospital, Sub ""District""",IN10,30,34.1,74.8,Srinagar\r\n'
        "\r\nज़िला अस्पताल,IN11,,,,\r\n"
    )
    assert json_of(hospital, "facility", "import", register(tmp_path, content))["facilities"] == 2
    found = {one["hip_id"]: one for one in json.loads(kiosk(hospital, "facility", "list", "--json").stdout)}
    assert found["IN10"]["name"] == 'Hospital, Sub "District"'
    assert found["IN10"]["extra"] == {"beds": "30"}
    assert (found["IN10"]["latitude"], found["IN11"]["name"], found["IN11"]["extra"]) == (34.1, "ज़िला अस्पताल", {})


def test_one_mistake_changes_nothing_and_every_mistake_is_told_by_line_and_column(
    hospital: Path, tmp_path: Path
) -> None:
    content = (
        "hip_id,name,latitude,longitude\nIN20,Good,34,74\n,Nameless,34,74\nIN21,Far,95,74\n"
        "IN22,Half,34,\nIN23,a,b,c,d\n"
    )
    sentence = refused(hospital, "facility", "import", register(tmp_path, content))
    assert "4 mistakes, nothing was written" in sentence
    for mistake in (
        "line 3, column hip_id: is empty",
        "line 4, column latitude: is no number from -90 to 90",
        "line 5, column longitude: is empty, and latitude",
        "line 6, column 5: has no name in the header",
    ):
        assert mistake in sentence
    assert "IN20" not in kiosk(hospital, "facility", "list").stdout


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "line 1: the header has no column hip_id and no column name"),
        ("hip_id;name\nIN30;X\n", "line 1: columns are separated by semicolons; save it as CSV with commas"),
        ("hip_id\tname\nIN30\tX\n", "line 1: columns are separated by tabs"),
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
def test_what_is_no_register_is_refused(hospital: Path, tmp_path: Path, content: str, sentence: str) -> None:
    assert sentence in refused(hospital, "facility", "import", register(tmp_path, content))


def test_a_registers_own_columns_and_habits_are_understood(hospital: Path, tmp_path: Path) -> None:
    content = (
        "facilityId,facilityName,stateName,districtName,pincode,latitude,longitude\n"
        "IN50,District\u00a0Hospital,JAMMU AND KASHMIR,NA,190003,NA,NA\n"
        "IN51,ضلع ہسپتال بارہ\u200cمولہ,,,,34.1,74.8\nIN52,ہسپتال\u200f,,,,,\n"
    )
    json_of(hospital, "facility", "import", register(tmp_path, content))
    found = {one["hip_id"]: one for one in json.loads(kiosk(hospital, "facility", "list", "--json").stdout)}
    assert [found[f"IN5{number}"]["name"] for number in range(3)] == [
        "District Hospital",
        "ضلع ہسپتال بارہ\u200cمولہ",
        "ہسپتال",
    ]
    assert (found["IN50"]["state"], found["IN50"]["district"]) == ("JAMMU AND KASHMIR", "")
    assert found["IN50"]["latitude"] is None


def test_a_facilitys_own_limits_and_no_show_rule_come_from_columns_and_an_empty_cell_changes_nothing(
    hospital: Path, tmp_path: Path
) -> None:
    def policies(content: str) -> list[tuple[object, ...]]:
        json_of(hospital, "facility", "import", register(tmp_path, content))
        rows = {one["hip_id"]: one for one in json.loads(kiosk(hospital, "facility", "list", "--json").stdout)}
        found = [rows[hip]["policy"] for hip in ("IN80", "IN81")]
        return [(one["rate"], one["burst"], one["no_show_after_s"], rows["IN80"]["extra"]) for one in found]

    head = "hip_id,name,rate,burst,no_show_after_s\n"
    assert policies(f"{head}IN80,Large,40,400,300\nIN81,Small,,NA,\n") == [(40, 400, 300, {}), (None, None, 0, {})]
    assert policies(f"{head}IN80,Large,,500.0,0\nIN81,Small,2.5,,\n") == [(40, 500, 0, {}), (2.5, None, 0, {})]
    assert policies("hip_id,name\nIN80,Large\nIN81,Small\n") == [(40, 500, 0, {}), (2.5, None, 0, {})]


def test_coordinates_that_cannot_be_right_are_reported_by_line_and_left_out(hospital: Path, tmp_path: Path) -> None:
    content = (
        "hip_id,name,latitude,longitude\nIN60,Swapped,74.4667,34.2833\nIN61,Nought,0.0,0.0\n"
        "IN62,Sea,-31.2,61.7\nIN63,Right,34.2,74.4\n"
    )
    warnings = json_of(hospital, "facility", "import", register(tmp_path, content))["warnings"]
    assert [warning.partition(";")[0] for warning in warnings] == [
        "line 2: latitude and longitude are swapped",
        "line 3: latitude and longitude are 0, which means unknown",
        "line 4: latitude and longitude lie outside India",
    ]
    found = {one["hip_id"]: one for one in json.loads(kiosk(hospital, "facility", "list", "--json").stdout)}
    assert [found[f"IN6{number}"]["latitude"] for number in range(4)] == [None, None, None, 34.2]


def test_prefixes_of_a_file_are_replaced_by_an_option(hospital: Path, tmp_path: Path) -> None:
    json_of(hospital, "facility", "import", register(tmp_path, "hip_id,name\nIN70,A\n"))
    content = (
        "hip_id,queue,name,prefix,counters\nIN70,medicine,General Medicine,MEDI,3\n"
        "IN70,room14,Room 14,14,1\nIN70,ent,ENT,N,3.0\n"
    )
    file = register(tmp_path, content)
    sentence = refused(hospital, "queue", "import", file)
    assert "line 2, column prefix: is no prefix of 1 to 3 letters; replace it with --prefix MEDI=ABC" in sentence
    assert json_of(hospital, "queue", "import", file, "--prefix", "MEDI=MED", "--prefix", "14=R")["queues"] == 3
    listed = kiosk(hospital, "queue", "list", "IN70").stdout
    assert "MED1 MED2 MED3" in listed
    assert "N1 N2 N3" in listed


def test_another_encoding_is_told_with_the_way_out(hospital: Path, tmp_path: Path) -> None:
    file = register(tmp_path, "hip_id,name\nIN30,Café\n", encoding="latin-1")
    assert "save it as CSV UTF-8" in refused(hospital, "facility", "import", file)


def test_the_first_queue_of_a_facility_in_the_file_is_its_default(hospital: Path, tmp_path: Path) -> None:
    json_of(hospital, "facility", "import", register(tmp_path, "hip_id,name\nIN40,A\nIN41,B\n"))
    content = (
        "hip_id,queue,name,prefix,counters\nIN40,reg,Registration,R,2\nIN41,med,Medicine,M,\nIN40,med,Medicine,M,1\n"
    )
    assert json_of(hospital, "queue", "import", register(tmp_path, content))["queues"] == 3
    listed = json.loads(kiosk(hospital, "facility", "list", "--json").stdout)
    found = {one["hip_id"]: one["default_queue"] for one in listed}
    assert (found["IN40"], found["IN41"]) == ("reg", "med")
    assert "R1 R2" in kiosk(hospital, "queue", "list", "IN40").stdout


def test_names_of_other_languages_and_the_department_come_with_a_file(hospital: Path, tmp_path: Path) -> None:
    header = "hip_id,queue,name,prefix,counters,name_hi,name_ur,department_code\n"
    file = register(tmp_path, header + "IN01,skin,Skin OPD,SK,1,त्वचा रोग,,394582007\n")
    assert json_of(hospital, "queue", "import", file)["queues"] == 1
    json_of(hospital, "queue", "import", register(tmp_path, header + "IN01,skin,Skin OPD,SK,1,,جلدی امراض,\n"))
    listed = json.loads(kiosk(hospital, "queue", "list", "IN01", "--json").stdout)
    skin = next(one["queue"] for one in listed if one["queue"]["id"] == "skin")
    assert skin["names"] == {"hi": "त्वचा रोग", "ur": "جلدی امراض"}, "an empty cell changes nothing"
    assert skin["department_code"] == "394582007"
    wrong = register(tmp_path, header + "IN01,skin,Skin OPD,SK,1,,,394582008\n")
    assert "department_code: is no code of SNOMED CT" in refused(hospital, "queue", "import", wrong)


def test_names_of_a_facility_in_other_languages_come_with_a_file_or_an_option(hospital: Path, tmp_path: Path) -> None:
    def stored() -> object:
        rows = json.loads(kiosk(hospital, "facility", "list", "--json").stdout)
        return next((one["name"], one["names"], one["extra"]) for one in rows if one["hip_id"] == "IN87")

    header = "hip_id,name,name_hi,name_ur\n"
    hindi, urdu = "ज़िला अस्पताल सोपोर", "ضلع ہسپتال سوپور"
    json_of(hospital, "facility", "import", register(tmp_path, f"{header}IN87,DH Sopore,{hindi},{urdu}\n"))
    assert stored() == ("DH Sopore", {"hi": hindi, "ur": urdu}, {})
    json_of(hospital, "facility", "import", register(tmp_path, f"{header}IN87,Sopore,,NA\n"))
    assert stored() == ("Sopore", {"hi": hindi, "ur": urdu}, {}), "an empty cell changes nothing"
    json_of(hospital, "facility", "import", register(tmp_path, "hip_id,name\nIN87,DH Sopore\n"))
    assert stored() == ("DH Sopore", {"hi": hindi, "ur": urdu}, {})
    json_of(hospital, "facility", "add", "IN87", "--name", "DH Sopore", "--name-pa", "ਸੋਪੋਰ")
    assert stored() == ("DH Sopore", {"hi": hindi, "ur": urdu, "pa": "ਸੋਪੋਰ"}, {})
    long = register(tmp_path, f"{header}IN87,Sopore,{'क' * 201},\n")
    assert "column name_hi: is longer than 200 characters" in refused(hospital, "facility", "import", long)
    turned = register(tmp_path, f"{header}IN87,Sopore,,{urdu}\u202e\n")
    assert "column name_ur: holds the character" in refused(hospital, "facility", "import", turned)


def test_queues_of_unknown_facilities_are_told_and_the_others_count(hospital: Path, tmp_path: Path) -> None:
    content = "hip_id,queue,name,prefix,counters\nIN01,eye,Eye OPD,E,1\nIN77,eye,Eye OPD,E,1\n"
    sentence = refused(hospital, "queue", "import", register(tmp_path, content))
    assert "1 queues added or updated, 1 refused: line 3: no facility IN77" in sentence
    assert "Eye OPD" in kiosk(hospital, "queue", "list", "IN01").stdout


@pytest.mark.proof
def test_a_whole_states_register_is_a_matter_of_moments(hospital: Path, tmp_path: Path) -> None:
    lines = (f"IN9{number:07d},Hospital {number},District {number % 20},J&K,34.1,74.8" for number in range(30_000))
    file = register(tmp_path, "hip_id,name,district,state,latitude,longitude\n" + "\n".join(lines))
    imported = process_tree.kiosk(hospital, "facility", "import", file, "--json")
    assert json.loads(imported.stdout)["facilities"] == 30_000
    listed = process_tree.kiosk(hospital, "facility", "list", "--json")
    assert listed.stdout.count('"hip_id": "IN9') == 30_000
