"""The alert rules load, and ask only for figures that the program has."""

import re
from pathlib import Path
from typing import Any

import yaml

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
