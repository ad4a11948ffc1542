"""``kiosk posters``: the posters of all counters of a hospital as one PDF."""

from pathlib import Path

import click

from kiosk.cli.running import CommandFailed, as_json, settings_now, tell, with_store
from kiosk.posters.sheet import SIZES, draw, posters_of
from queueing.registry import Registry


@click.command()
@click.argument("hip_id")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--paper", type=click.Choice(tuple(SIZES)), default="A4", show_default=True, help="Size of the paper.")
@click.option("--counter", default="", help="The poster of this counter alone.")
@as_json
def posters(hip_id: str, file: Path, paper: str, counter: str, json: bool) -> None:
    """Write the posters of all counters of a hospital into one PDF, a page for each, with cut marks.

    A poster says in every language what to do. Its code carries the counter's bare name, which never expires.
    """
    settings = settings_now()
    hospital = with_store(settings, lambda store: Registry(store).hospital(hip_id))
    if hospital is None:
        raise CommandFailed(f"no facility {hip_id}")
    pages = posters_of(hospital, settings.qr_host, counter.strip().upper())
    if not pages:
        names = ", ".join(sorted(one.name for one in hospital.counters))
        raise CommandFailed(f"no counter {counter[:40]} with a queue in {hip_id}; it has: {names or 'none yet'}")
    file.write_bytes(draw(pages, paper=paper))
    drawn = [page.counter for page in pages]
    tell(json, {"file": str(file), "counters": drawn}, f"{file}: {len(drawn)} posters, {paper}: {', '.join(drawn)}")
