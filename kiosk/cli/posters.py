"""``kiosk posters``: the posters of all counters of a hospital as one PDF."""

from pathlib import Path

import click

from kiosk.cli.running import CommandFailed, as_json, settings_now, tell, with_store
from kiosk.posters.sheet import SIZES, draw
from kiosk.posters.texts import Which, left_out, posters_of
from queueing.registry import Hospital, Registry


@click.command()
@click.argument("hip_id")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--paper", type=click.Choice(tuple(SIZES)), default="A4", show_default=True, help="Size of the paper.")
@click.option("--counter", default="", help="The poster of this counter alone.")
@click.option(
    "--of",
    type=click.Choice([one.value for one in Which]),
    default=Which.COUNTERS.value,
    show_default=True,
    help="A poster for each counter, for each queue (for the hall), or both.",
)
@as_json
def posters(hip_id: str, file: Path, paper: str, counter: str, of: str, json: bool) -> None:
    """Write the posters of a hospital into one PDF, a page for each, with cut marks.

    A poster says in every language what to do, and when its queue is open. Its code carries the bare name of a counter
    or of a queue, which never expires.
    """
    settings = settings_now()
    found = with_store(settings, lambda store: _hospital(Registry(store), hip_id))
    if found is None:
        raise CommandFailed(f"no facility {hip_id}")
    hospital, printed = found
    pages = posters_of(hospital, settings.qr_host, printed, which=Which(of), only=counter.strip().upper())
    if not pages:
        names = ", ".join(sorted(one.name for one in hospital.counters))
        raise CommandFailed(f"no counter {counter[:40]} with a queue in {hip_id}; it has: {names or 'none yet'}")
    file.write_bytes(draw(pages, paper=paper))
    counters = [page.counter for page in pages if page.counter]
    queues = [page.queue for page in pages if not page.counter]
    sentence = f"{file}: {len(pages)} posters, {paper}: {', '.join(queues + counters)}"
    if without := [queue.id for queue in left_out(hospital)]:
        sentence += f"\nwithout opening hours, which are too long for a poster: {', '.join(without)}"
    tell(json, {"file": str(file), "counters": counters, "queues": queues, "without_hours": without}, sentence)


async def _hospital(registry: Registry, hip_id: str) -> tuple[Hospital, dict[str, str]] | None:
    hospital = await registry.hospital(hip_id)
    return (hospital, await registry.texts(hip_id)) if hospital else None
