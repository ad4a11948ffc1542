"""The alert rules load, and ask only for figures that the program has."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import REGISTRY

from kiosk.abdm import callers
from kiosk.observability import metrics
from kiosk.observability.metrics import Facts, exposition

DEPLOY = Path(__file__).parents[3] / "deploy"
_NAME = re.compile(r"\bkiosk_[a-z_]+\b")


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def exported() -> set[str]:
    """Names of samples, also of counters that have counted nothing yet."""
    text = exposition(
        Facts(store_up=True, promise="disk", replies_pending=0, archive_lag_s=0, deliveries_pending={"hl7": 0})
    ).decode()
    families = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    histograms = {name + end for name, kind in families if kind == "histogram" for end in ("_bucket", "_sum", "_count")}
    return {name for name, _ in families} | histograms


def test_the_sample_of_prometheus_asks_the_port_that_the_service_samples_open() -> None:
    sample = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    assert sample["rule_files"] == ["alerts.yml"]
    (target,) = sample["scrape_configs"][0]["static_configs"][0]["targets"]
    port = target.rpartition(":")[2]
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]["kiosk"]
    assert str(service["environment"]["KIOSK_OPS_PORT"]) == port
    assert "ports" not in service, "the operators' port must not be published"
    assert f"Environment=KIOSK_OPS_PORT={port}\n" in (DEPLOY / "kiosk.service").read_text("utf-8")


def test_every_rule_says_what_happened_and_how_grave_it_is() -> None:
    found = rules()
    assert len({rule["alert"] for rule in found}) == len(found) > 5
    for rule in found:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")


def test_every_rule_asks_for_figures_that_exist() -> None:
    for rule in rules():
        names = set(_NAME.findall(rule["expr"]))
        assert names, rule["alert"]
        assert names <= exported(), rule["alert"]


def labels_of(side: str) -> set[str]:
    """The labels that a side of ``and`` has: those it is summed by, or those of its metric."""
    if summed := re.match(r"sum by \((.*?)\)", side.strip()):
        return set(re.findall(r"\w+", summed[1]))
    (name,) = set(_NAME.findall(side))
    found: tuple[str, ...] = getattr(REGISTRY._names_to_collectors.get(name), "_labelnames", ())
    return set(found)


def test_both_sides_of_a_rule_have_the_same_labels() -> None:
    """``and`` joins series whose labels are equal: a rule over two metrics that count by other words never fires."""
    joined = [rule for rule in rules() if " and " in rule["expr"]]
    assert joined
    for rule in joined:
        sides = [labels_of(side) for side in rule["expr"].split(" and ")]
        assert all(side == sides[0] for side in sides), rule["alert"]


def test_every_counter_of_a_rule_is_there_before_its_first_event() -> None:
    """``increase`` of a counter that is not there is no 0: it is nothing, and a rule that asks for 0 never fires."""
    counters = {name for rule in rules() for name in re.findall(r"increase\((kiosk_\w+_total)", rule["expr"])}
    # Named when the guard starts: test_connection_guard.py, test_each_reason_is_counted_from_the_start.
    counters.remove("kiosk_connections_closed_total")
    script = f"import {metrics.__name__}, prometheus_client; print(prometheus_client.generate_latest().decode())"
    fresh = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    for name in counters:
        assert re.search(rf"^{name}(\{{.*\}})? 0.0$", fresh, re.MULTILINE), name


def test_each_reason_to_refuse_a_caller_is_counted_from_the_start() -> None:
    assert set(metrics.REJECTED_FOR) == set(callers.NEXT_STEPS)
