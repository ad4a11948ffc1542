"""The plan's arithmetic holds, its costs ship with the program, and every assumption can be changed."""

import inspect
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import fields, replace

from kiosk.capacity.model import FRAMES_PER_S_AT_MOST, LOADS, Costs, Load, needs, shipped_costs
from kiosk.cli.plan import plan
from kiosk.live import hub
from kiosk.live.hub import Hub
from kiosk.live.pace import MOST_LISTENERS

COSTS = Costs(
    measured="a day", machine="a machine", web_us=200, store_us=100, relay_us=150, ticket_bytes=800, journal_bytes=1500,
    web_mb=100, relay_mb=50, listener_kb=20, frame_us=50, frame_bytes=1000, scan_bytes=1500,
)  # fmt: skip
QUIET = Load(name="no screens", facilities=100, scans_a_day=9_000_000, boards=0, pages=0, busy_share=1, busy_hours=2.5)


def test_cores_follow_from_the_worst_seconds() -> None:
    found = needs(QUIET, COSTS)
    assert found.mean_per_s == pytest.approx(1_000)
    assert found.peak_per_s == pytest.approx(5_000)
    assert found.web_cores == pytest.approx(5_000 * 200e-6 / 0.5)
    assert found.store_cores == pytest.approx(1.0)
    assert found.shards == 1
    assert found.relays == 2
    assert found.listeners == 0


@pytest.mark.parametrize("name", LOADS)
def test_twice_the_scans_never_need_less(name: str) -> None:
    one = needs(LOADS[name], COSTS)
    two = needs(replace(LOADS[name], scans_a_day=2 * LOADS[name].scans_a_day), COSTS)
    for field in fields(one):
        assert getattr(two, field.name) >= getattr(one, field.name)


def test_screens_without_scans_need_workers_too() -> None:
    load = replace(QUIET, scans_a_day=1, facilities=3 * MOST_LISTENERS, boards=1.0)
    assert needs(load, COSTS).workers == 3


def test_the_model_calculates_with_the_limits_of_the_running_hub() -> None:
    assert inspect.signature(Hub).parameters["most_listeners"].default == MOST_LISTENERS
    assert pytest.approx(1 / FRAMES_PER_S_AT_MOST) == hub._rest_s(MOST_LISTENERS)


def test_shipped_costs_name_when_and_where_they_were_measured() -> None:
    costs = shipped_costs()
    assert costs.machine
    assert all(getattr(costs, name) > 0 for name in ("web_us", "store_us", "relay_us", "ticket_bytes", "frame_us"))


def test_every_assumption_is_shown_and_changeable() -> None:
    shown = CliRunner().invoke(plan, []).output
    options = {option for parameter in plan.params for option in parameter.opts}
    for field in fields(Load):
        if field.name != "name":
            assert f"--{field.name.replace('_', '-')}" in options
    for field in fields(Load)[3:]:
        assert f"--{field.name.replace('_', '-')}" in shown


def test_options_change_the_answer_and_json_repeats_the_assumptions() -> None:
    output = msgspec.json.decode(CliRunner().invoke(plan, ["jk", "--burst", "10", "--json"]).output)
    (load,) = output["loads"]
    assert load["assumed"]["burst"] == 10
    assert load["needs"]["peak_per_s"] == pytest.approx(10 * load["needs"]["mean_per_s"])


def test_costs_of_another_machine_can_be_given(tmp_path: Path) -> None:
    file = tmp_path / "costs.json"
    file.write_bytes(msgspec.json.encode(COSTS))
    output = msgspec.json.decode(CliRunner().invoke(plan, ["jk", "--costs", str(file), "--json"]).output)
    assert output["costs"]["machine"] == "a machine"


def test_the_picture_is_well_formed_and_names_every_load(tmp_path: Path) -> None:
    file = tmp_path / "plan.svg"
    assert CliRunner().invoke(plan, ["--plot", str(file)]).exit_code == 0
    picture = ET.parse(file)  # noqa: S314  our own, just drawn
    texts = [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {load.name for load in LOADS.values()} <= set(texts)
