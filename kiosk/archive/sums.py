"""Sums of the archive: what one ticket or share adds to them, and what can be read from them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kiosk.archive.schema import (
    ACK_COLUMNS,
    ACK_SECONDS,
    SERVICE_COLUMNS,
    SERVICE_MINUTES,
    WAIT_COLUMNS,
    WAIT_MINUTES,
)

Row = Mapping[str, Any]
"""One row of a table: column -> value."""
DAY_MS: Final = 86_400_000
"""A duration of more than a day is a mistake of a clock and is left out."""
VISITS_MEASURED: Final = 5
"""Visits of which a mean says something. One that was finished by mistake after a second says nothing."""


class Sums(Counter[str]):
    """Column of ``schema.SUMS`` -> sum. A column that was not read is 0. Two of them can be added."""

    def wait_min(self, part: float) -> float | None:
        """Minutes within which this part (0.5, 0.9) of the called patients were called; None when nobody was."""
        return percentile([self[name] for name in WAIT_COLUMNS], WAIT_MINUTES, part)

    def service_min(self, part: float) -> float | None:
        """Minutes within which this part of the visits at a counter ended."""
        return percentile([self[name] for name in SERVICE_COLUMNS], SERVICE_MINUTES, part)

    def ack_s(self, part: float) -> float | None:
        """Seconds within which this part of the delivered acknowledgements reached the gateway."""
        return percentile([self[name] for name in ACK_COLUMNS], ACK_SECONDS, part)

    def mean_service_min(self) -> float | None:
        """Minutes of a visit at a counter, on average."""
        count = sum(self[name] for name in SERVICE_COLUMNS)
        return self["service_s"] / 60 / count if count else None

    def measured_service_min(self) -> float | None:
        """The same, where enough visits were measured to count counters by it; else None."""
        count = sum(self[name] for name in SERVICE_COLUMNS)
        return (self.mean_service_min() or None) if count >= VISITS_MEASURED else None


def total(several: Iterable[Mapping[str, int]]) -> Sums:
    """All of them added up."""
    summed = Sums()
    for one in several:
        summed.update(one)
    return summed


def percentile(counts: Sequence[int], edges: Sequence[float], part: float) -> float | None:
    """The value below which this part of the counted ones lies. Within a class they count as spread evenly.

    ``counts`` has one class more than ``edges``. That class has no upper end: its lower end stands for it.
    """
    wanted = sum(counts) * part
    if not any(counts):
        return None
    below: float = 0
    for count, low, high in zip(counts, (0, *edges), (*edges, edges[-1]), strict=True):
        if count and below + count >= wanted:
            return low + (high - low) * max(0.0, wanted - below) / count
        below += count
    return edges[-1]


def of_ticket(row: Row) -> dict[str, int]:
    """What a row of ``tickets`` adds to the sums of its facility, queue, day and hour."""
    found = {
        "tokens": 1,
        f"source_{row['source']}": 1,
        f"assurance_{row['assurance']}": 1,
        f"lane_{row['lane']}": 1,
        f"state_{row['state']}": 1,
    }
    if row["reason"]:
        found[f"reason_{row['reason']}"] = 1
    if row["nearness"] == "far":
        found["far"] = 1
    for name in ("day", "month", "state"):
        if row[f"first_{name}"]:
            found[f"people_{name}"] = 1
    if row["person"] is None:
        found["people_unknown"] = 1
    if row["called_first_ms"]:
        found["called"] = 1
        wait_ms = row["called_first_ms"] - (row["checked_in_ms"] or row["arrived_ms"])
        _duration(found, wait_ms, "wait_s", 1000, WAIT_COLUMNS, WAIT_MINUTES, 60_000)
    if row["state"] == "done" and (began_ms := row["started_ms"] or row["called_last_ms"]):
        service_ms = row["ended_ms"] - began_ms
        _duration(found, service_ms, "service_s", 1000, SERVICE_COLUMNS, SERVICE_MINUTES, 60_000)
    return found | _of_ack(row, row["arrived_ms"])


def of_share(row: Row) -> dict[str, int]:
    """What a row of ``shares`` adds."""
    found = {row["kind"]: 1}
    if row["refusal"]:
        found[f"refused_{row['refusal']}"] = 1
    if row["by_hours"]:
        found["refused_by_hours"] = 1
    return found | _of_ack(row, row["at_ms"])


def _of_ack(row: Row, shared_ms: int) -> dict[str, int]:
    if row["ack"] == "parked":
        return {"acks_parked": 1}
    if row["ack"] != "delivered":
        return {}
    found = {"acks_delivered": 1}
    _duration(found, row["ack_at_ms"] - shared_ms, "ack_ms", 1, ACK_COLUMNS, ACK_SECONDS, 1000)
    return found


def _duration(
    found: dict[str, int],
    ms: int,
    total_name: str,
    unit_ms: int,
    columns: Sequence[str],
    edges: Sequence[float],
    edge_ms: int,
) -> None:
    """Count a duration in its class and add it to its total. Clocks of two machines may differ by a little."""
    if ms > DAY_MS:
        return
    ms = max(0, ms)
    found[total_name] = ms // unit_ms
    found[columns[bisect_left(edges, ms / edge_ms)]] = 1
