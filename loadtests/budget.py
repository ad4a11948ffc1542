"""The promised figures and their bounds. The bench, load runs and the documentation are judged by these."""

from typing import Any, Final, Literal

from msgspec import Struct


class Promise(Struct, frozen=True, kw_only=True):
    """One bound on one figure."""

    name: str
    words: str
    bound: float
    sense: Literal["at least", "at most"]
    unit: str = ""
    aim: float | None = None

    def is_met(self, figure: float) -> bool:
        """Whether this figure is within the bound."""
        return figure >= self.bound if self.sense == "at least" else figure <= self.bound

    def short_by(self, figure: float) -> float:
        """How far the figure misses the bound, as a part of the bound; 0 when it is kept."""
        return 0.0 if self.is_met(figure) else abs(figure - self.bound) / self.bound if self.bound else 1.0


PROMISES: Final = {
    promise.name: promise
    for promise in (
        Promise(name="callback_ratio", words="real callback ÷ yardstick", bound=0.7, aim=0.85, sense="at least"),
        Promise(
            name="loop_ratio", words="complete loop (202, durable, acknowledged) ÷ yardstick", bound=0.25, aim=0.4,
            sense="at least",
        ),
        Promise(
            name="on_share_p99_ms", words="share to acknowledgement, p99 at half of the sustained loop rate",
            bound=1000, sense="at most", unit="ms",
        ),
        Promise(name="waiting_growth", words="cost of a scan, 10 → 10,000 waiting", bound=1.15, sense="at most"),
        Promise(name="facilities_growth", words="cost of a scan, 10 → 30,000 facilities", bound=1.15, sense="at most"),
        Promise(name="listeners", words="listeners on one machine", bound=10_000, sense="at least"),
        Promise(
            name="call_to_screen_p99_ms", words="call to screen, p99, scans at a quarter of the limit", bound=500,
            sense="at most", unit="ms",
        ),
        Promise(name="ticket_bytes", words="memory of a waiting ticket", bound=1024, sense="at most", unit="B"),
        Promise(name="broken", words="202s not acknowledged once, numbers given twice", bound=0, sense="at most"),
        Promise(name="callback_p99_ms", words="202, p99, at the day's rate", bound=100, sense="at most", unit="ms"),
        Promise(name="loop_p99_ms", words="scan to number on the phone, p99", bound=1000, sense="at most", unit="ms"),
        Promise(name="move_p99_ms", words="a clerk's move, p99", bound=500, sense="at most", unit="ms"),
        Promise(name="failures", words="requests that failed", bound=0, sense="at most"),
        Promise(name="web_mb_an_hour", words="growth of web's memory", bound=6, sense="at most", unit="MB an hour"),
        Promise(name="relay_mb_an_hour", words="growth of relay's memory", bound=6, sense="at most", unit="MB an hour"),
        Promise(
            name="delivered_p99_ms", words="scan to delivered by webhook, p99, 200 scans/s, ten webhooks",
            bound=1000, sense="at most", unit="ms",
        ),
        Promise(name="not_delivered", words="events that did not arrive", bound=0, sense="at most"),
        Promise(
            name="dead_on_share", words="share to acknowledgement, p99, half of all webhooks dead ÷ no webhooks",
            bound=1.1, sense="at most",
        ),
        Promise(
            name="dead_callback", words="202, p99, half of all webhooks dead ÷ no webhooks", bound=1.1, sense="at most"
        ),
        Promise(
            name="dead_living_p99_ms", words="event to delivered, p99, webhooks that answer, half of all dead, all new",
            bound=1000, sense="at most", unit="ms",
        ),
        Promise(
            name="api_p99_ms", words="API, p99, 500 requests/s beside 100 scans/s", bound=50, sense="at most", unit="ms"
        ),
        Promise(name="files_growth", words="open files, fewest of the last third ÷ first", bound=1.05, sense="at most"),
    )
}  # fmt: skip
"""Promises by name. The bench uses the first nine, ``loadtests.load`` the next three and ``broken``, ``loadtests.soak``
the three about growth, ``loadtests.delivery`` the six before the last."""


class Finding(Struct, frozen=True, kw_only=True):
    """A measured figure with its promise."""

    promise: Promise
    figure: float

    @property
    def is_met(self) -> bool:
        """Whether the promise is kept."""
        return self.promise.is_met(self.figure)

    def report(self) -> dict[str, Any]:
        """The finding as it stands in a JSON report."""
        return {
            "name": self.promise.name, "words": self.promise.words, "figure": round(self.figure, 3),
            "bound": self.promise.bound, "sense": self.promise.sense, "unit": self.promise.unit, "kept": self.is_met,
            "short_by": round(self.promise.short_by(self.figure), 3),
        }  # fmt: skip


def judge(figures: dict[str, float]) -> list[Finding]:
    """A finding for every figure that has a promise."""
    return [Finding(promise=PROMISES[name], figure=figure) for name, figure in figures.items() if name in PROMISES]


def table(findings: list[Finding]) -> list[str]:
    """The findings as lines of text."""
    rows = [
        (
            finding.promise.words,
            f"{finding.figure:,.4g} {finding.promise.unit}".strip(),
            f"{finding.promise.sense} {finding.promise.bound:,g}",
            "kept" if finding.is_met else f"MISSED by {finding.promise.short_by(finding.figure):.0%}",
        )
        for finding in findings
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
