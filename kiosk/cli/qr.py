"""``kiosk qr``: a counter's QR for printing. It carries the counter's bare name, which never expires."""

from collections.abc import Callable
from pathlib import Path

import click

from kiosk.cli.running import CommandFailed, as_json, settings_now, tell, with_store
from kiosk.posters.picture import picture
from kiosk.posters.texts import posters_of
from queueing.models import Counter
from queueing.registry import Hospital, Registry
from queueing.store.store import Store
from tokens import qr as pictures

_file = click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path)


@click.command()
@click.argument("hip_id")
@click.argument("counter")
@click.option("--svg", type=_file, help="Write the QR as SVG.")
@click.option("--png", type=_file, help="Write the QR as PNG.")
@click.option("--poster", type=_file, help="Write an A4 page for the wall in every language, PNG.")
@as_json
def qr(hip_id: str, counter: str, svg: Path | None, png: Path | None, poster: Path | None, json: bool) -> None:
    """Print the text of COUNTER's QR, or write it as a picture. The file name '-' is standard output."""
    settings = settings_now()
    hospital, known = with_store(settings, lambda store: _looked_up(store, hip_id, counter.strip().upper()))
    facility = hospital.facility
    text = pictures.facility_url(settings.qr_host, facility.hip_id, known.name)
    drawn: list[tuple[Path | None, Callable[[], bytes]]] = [
        (svg, lambda: pictures.svg(text, label=f"{facility.name}, {known.name}")),
        (png, lambda: pictures.png(text)),
        (poster, lambda: picture(posters_of(hospital, settings.qr_host, {}, only=known.name)[0])),
    ]
    written = []
    for file, draw in drawn:
        if file is not None:
            _write(file, draw())
            written.append(str(file))
    if "-" not in written:
        report = {"hip_id": facility.hip_id, "counter": known.name, "text": text, "files": written}
        tell(json, report, *([f"wrote {file}" for file in written] or [text]))


async def _looked_up(store: Store, hip_id: str, name: str) -> tuple[Hospital, Counter]:
    """A counter that has a queue."""
    hospital = await Registry(store).hospital(hip_id)
    if hospital is None:
        raise CommandFailed(f"no facility {hip_id}")
    counter = hospital.counter_in_any_case(name)
    if counter is None or hospital.queue(counter.queues[0]) is None:
        names = ", ".join(sorted(one.name for one in hospital.counters))
        raise CommandFailed(f"no counter {name[:40]} in {hip_id}; it has: {names or 'none yet'}")
    return hospital, counter


def _write(file: Path, content: bytes) -> None:
    with click.open_file(str(file), "wb") as stream:
        stream.write(content)
