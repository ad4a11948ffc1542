"""The bench's results as text, JSON and a plot, and the measured costs that ``kiosk plan`` calculates with."""

from pathlib import Path
from typing import Any

from msgspec import json

from loadtests.bench.setup import Figures, middle
from loadtests.budget import Finding, judge, table

MANY_FACILITIES = 30_000
"""The number in the promise. A quick run measures fewer listeners and is not judged by this promise."""


def figures_of(cases: dict[str, Figures], broken: int) -> dict[str, float]:
    """The figures that have a promise."""
    found: dict[str, float] = {"broken": broken}
    if yardstick := cases.get("yardstick"):
        found |= {"callback_ratio": yardstick["callback_ratio"], "loop_ratio": yardstick["loop_ratio"]}
    if half := cases.get("half"):
        found["on_share_p99_ms"] = half["on_share_p99_ms"]
    if queues := cases.get("queues"):
        found |= {"waiting_growth": queues["growth"], "ticket_bytes": queues["ticket_bytes"]}
    if (spread := cases.get("facilities")) and spread["largest"] >= MANY_FACILITIES:
        found["facilities_growth"] = spread["growth"][str(spread["largest"])]
    if hospitals := cases.get("fan_out"):
        most = max(hospitals, key=int)
        complete = (
            hospitals[most]["sightings"] == hospitals[most]["sightings_expected"]
            and not hospitals[most]["streams_lost"]
        )
        found |= {"listeners": float(most) if complete else 0.0, "call_to_screen_p99_ms": hospitals[most]["p99_ms"]}
    return found


def text(report: dict[str, Any], findings: list[Finding]) -> str:
    """The report for people."""
    machine, cases = report["machine"], report["cases"]
    lines = [
        f"bench, {report['at']}, {'quick' if report['quick'] else 'whole'}, {report['took_s']:.0f} s",
        f"machine: {machine['cores']} cores {machine['cpu']}, {machine['memory_gb']} GB, Python {machine['python']}, "
        f"load before {machine['load_before']:.1f}; load generator, gateway and kiosk share it",
        "",
    ]
    if yardstick := cases.get("yardstick"):
        lines += _yardstick_lines(yardstick)
    if half := cases.get("half"):
        lines.append(
            f"at half ({half['rate_per_s']:,.0f}/s): on-share p50 {half['on_share_p50_ms']:.0f} ms, "
            f"p99 {half['on_share_p99_ms']:.0f} ms; 202 p99 {half['callback_p99_ms']:.0f} ms"
        )
    if queues := cases.get("queues"):
        lines.append(
            f"waiting {queues['few_waiting']} → {queues['many_waiting'][1]:,}: web and store "
            f"{middle(queues['few_us']):.0f} → {middle(queues['many_us']):.0f} µs a scan, × {queues['growth']:.2f}; "
            f"{queues['ticket_bytes']:.0f} B of memory and {queues['journal_bytes']:.0f} B of journal a ticket"
        )
    if spread := cases.get("facilities"):
        costs = ", ".join(f"{count}: {middle(one):.0f} µs" for count, one in spread["us"].items())
        lines.append(f"facilities {costs}")
    if moves := cases.get("moves"):
        lines += [
            f"moves of {moves['clerks']} clerks, {name.replace('_', ' ')}: {one['moves_per_s']:,.0f}/s, "
            f"p50 {one['p50_ms']:.1f} ms, p99 {one['p99_ms']:.1f} ms"
            for name, one in (("alone", moves["alone"]), ("under_load", moves["under_load"]))
        ]
    lines += [
        f"{int(listeners):,} listeners, {one['scans_per_s']:.0f} scans/s: call to screen p50 {one['p50_ms']:.0f} ms, "
        f"p99 {one['p99_ms']:.0f} ms, {one['sightings']:,} of {one['sightings_expected']:,} sightings, "
        f"{one['frames']:,} frames, {one['kb_per_listener']:.1f} kB a listener"
        for listeners, one in cases.get("fan_out", {}).items()
    ]
    return "\n".join([*lines, "", f"acknowledgements: {report['acknowledgements']}", "", *table(findings)]) + "\n"


def _yardstick_lines(yardstick: Figures) -> list[str]:
    rows = [
        ("yardstick", yardstick["yardstick_per_s"], "1.00", yardstick["yardstick_us"]),
        ("callback", yardstick["callback_per_s"], f"{yardstick['callback_ratio']:.2f}", yardstick["callback_us"]),
        ("loop", yardstick["loop_per_s"], f"{yardstick['loop_ratio']:.2f}", yardstick["loop_us"]),
    ]
    lines = [f"{'':10} {'per s':>7}  {'rounds':30} {'ratio':>5}  µs of processor a scan by part"]
    for name, rates, ratio, costs in rows:
        rounds = ", ".join(f"{rate:,.0f}" for rate in rates)
        spent = ", ".join(f"{part} {cost:.0f}" for part, cost in costs.items())
        lines.append(f"{name:10} {middle(rates):7,.0f}  {rounds:30} {ratio:>5}  {spent}")
    return lines


def costs_of(report: dict[str, Any]) -> dict[str, Any] | None:
    """The costs that ``kiosk plan`` needs; None when a needed case was left out."""
    cases = report["cases"]
    if not {"yardstick", "queues", "fan_out"} <= cases.keys():
        return None
    loop, most = cases["yardstick"], max(cases["fan_out"], key=int)
    hospitals = cases["fan_out"][most]
    scans_web_s = hospitals["scans"] * loop["loop_us"]["web"] / 1e6
    return {
        "measured": report["at"],
        "machine": "{cores} cores {cpu}, Python {python}".format(**report["machine"]),
        "web_us": loop["loop_us"]["web"],
        "store_us": loop["loop_us"]["store"],
        "relay_us": loop["loop_us"]["relay"],
        "ticket_bytes": round(cases["queues"]["ticket_bytes"]),
        "journal_bytes": round(cases["queues"]["journal_bytes"]),
        "web_mb": round(report["idle_mb"]["web"]),
        "relay_mb": round(report["idle_mb"]["relay"]),
        "listener_kb": round(hospitals["kb_per_listener"], 1),
        "frame_us": round(max(0.0, hospitals["web_s"] - scans_web_s) / max(1, hospitals["frames"]) * 1e6, 1),
        "frame_bytes": round(hospitals["bytes"] / max(1, hospitals["frames"])),
        "scan_bytes": report["scan_bytes"],
    }


def write(report: dict[str, Any], broken: int, folder: Path) -> tuple[str, list[Finding]]:
    """Write everything into ``folder``. Returns the text and the findings."""
    folder.mkdir(parents=True, exist_ok=True)
    findings = judge(figures_of(report["cases"], broken))
    report["promises"] = [finding.report() for finding in findings]
    written = text(report, findings)
    (folder / "bench.txt").write_text(written)
    (folder / "bench.json").write_bytes(json.format(json.encode(report)))
    draw(report, folder / "bench.png")
    return written, findings


def draw(report: dict[str, Any], path: Path) -> None:
    """Plot the rates of every round, and the processor time of each part."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    yardstick = report["cases"].get("yardstick")
    if not yardstick:
        return
    figure, (rates, costs) = plt.subplots(1, 2, figsize=(11, 4.2))
    for name in ("yardstick", "callback", "loop"):
        rates.plot(range(1, len(yardstick[f"{name}_per_s"]) + 1), yardstick[f"{name}_per_s"], marker="o", label=name)
    rates.set(xlabel="round", ylabel="scans a second", ylim=(0, None), title="side by side")
    rates.legend()
    below = dict.fromkeys(("yardstick", "callback", "loop"), 0.0)
    for part in ("web", "store", "relay", "archive", "deliver", "gateway", "generator"):
        heights = [yardstick[f"{name}_us"].get(part, 0.0) for name in below]
        costs.bar(list(below), heights, bottom=list(below.values()), label=part)
        below = {name: base + height for (name, base), height in zip(below.items(), heights, strict=True)}
    costs.set(ylabel="µs of processor a scan", title="where it goes")
    costs.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
