"""Slips on a printer that is a process of its own, in each of its moods."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiosk.posters.slip import SlipText, draw
from kiosk.posters.slip_drawing import SlipJob
from kiosk.posters.slip_printer import Fault, NotPrinted, SlipPrinting
from tests.codes import codes_in
from tests.kiosk.in_process import kiosk
from tests.kiosk.posters.printer_stand_in import picture_of, printer
from tests.ports import free_port

pytestmark = pytest.mark.anyio


async def here() -> str:
    return "127.0.0.1"


def job(token: str = "M-042") -> SlipJob:  # noqa: S107  (a queue number, no password)
    link = f"https://opd.example/t/{token}" + "a" * 300
    return SlipJob(slip=SlipText(token=token, link=link, local_title="آپ کا نمبر"), paper=58)


@pytest.fixture(scope="module")
async def printing() -> AsyncIterator[SlipPrinting]:
    """One for all tests: the process that draws takes long to start."""
    one = SlipPrinting(within_s=60)  # a busy machine is no fault of a printer
    yield one
    await one.close()


@pytest.mark.parametrize("mood", ["ready", "silent"])
async def test_what_a_printer_gets_is_the_picture(printing: SlipPrinting, tmp_path: Path, mood: str) -> None:
    with printer(tmp_path, mood) as one:
        await printing.print(here(), one.port, job())
        await printing.print(here(), one.port, job("M-043"))
        printed = one.slips()
    assert printed[0].tobytes() == draw(job().slip, 58, large=False).tobytes()
    codes = [codes_in(slip.convert("L"))[0].text for slip in printed]
    assert codes == [job().slip.link, job("M-043").slip.link]


@pytest.mark.parametrize("mood", ["no-paper", "open"])
async def test_a_printer_that_cannot_print_gets_nothing_and_is_named(
    printing: SlipPrinting, tmp_path: Path, mood: str
) -> None:
    with printer(tmp_path, mood) as one:
        with pytest.raises(NotPrinted) as failed:
            await printing.print(here(), one.port, job())
        assert failed.value.fault is Fault.PAPER
        with pytest.raises(NotPrinted):  # which comes when the first is written down
            await printing.print(here(), one.port, job())
        assert one.received()[0] == b""


async def test_a_printer_that_is_off_or_hangs_up_is_away(printing: SlipPrinting, tmp_path: Path) -> None:
    with pytest.raises(NotPrinted) as failed:
        await printing.print(here(), free_port(), job())
    assert failed.value.fault is Fault.AWAY
    with printer(tmp_path, "hangs-up") as one:
        with pytest.raises(NotPrinted) as failed:
            await printing.print(here(), one.port, job())
        assert failed.value.fault is Fault.AWAY


async def test_a_printer_that_takes_nothing_is_left_after_a_time_and_delays_no_other(
    printing: SlipPrinting, tmp_path: Path
) -> None:
    with printer(tmp_path) as other:
        await printing.print(here(), other.port, job())
        hasty = SlipPrinting(within_s=5)
        with printer(tmp_path, "full") as full:
            waiting = asyncio.create_task(hasty.print(here(), full.port, job()))
            await printing.print(here(), other.port, job())
            with pytest.raises(NotPrinted) as failed:
                await waiting
            assert failed.value.fault in {Fault.SLOW, Fault.DRAWING}  # of a machine too busy to draw in five seconds
        await hasty.close()
        assert len(other.slips()) == 2


async def test_slips_of_several_desks_come_whole_from_one_printer(printing: SlipPrinting, tmp_path: Path) -> None:
    tokens = [f"M-{number:03}" for number in range(6)]
    with printer(tmp_path) as one:
        async with asyncio.TaskGroup() as desks:
            for token in tokens:
                desks.create_task(printing.print(here(), one.port, job(token)))
        links = {codes_in(slip.convert("L"))[0].text for slip in one.slips()}
    assert links == {job(token).slip.link for token in tokens}


async def test_drawing_starts_anew_after_its_process_was_killed(printing: SlipPrinting, tmp_path: Path) -> None:
    with printer(tmp_path) as one:
        await printing.print(here(), one.port, job())
        process = printing._drawer._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        await printing.print(here(), one.port, job())
        assert len(one.slips()) == 2


async def test_a_slip_that_took_too_long_to_draw_is_not_printed_later_in_place_of_another(
    printing: SlipPrinting, tmp_path: Path
) -> None:
    hasty = SlipPrinting(within_s=0.01)
    hasty._drawer = printing._drawer
    with printer(tmp_path) as one:
        with pytest.raises(NotPrinted) as failed:
            await hasty.print(here(), one.port, job("M-001"))
        assert failed.value.fault is Fault.DRAWING
        await printing.print(here(), one.port, job("M-002"))
        [slip] = one.slips()
        assert codes_in(slip.convert("L"))[0].text == job("M-002").slip.link


def test_the_command_prints_a_sample_by_network_and_on_a_device(tmp_path: Path) -> None:
    device = tmp_path / "lp0"
    device.touch()
    assert kiosk(tmp_path, "slip", "print", str(device), "--paper", "58", "--large").returncode == 0
    sample = picture_of(device.read_bytes())
    assert sample.width == 384
    assert codes_in(sample.convert("L"))[0].text.startswith("https://hospital.example/?sample")
    with printer(tmp_path) as one:
        assert kiosk(tmp_path, "slip", "print", one.address).returncode == 0
        assert one.slips()[0].width == 576
    with printer(tmp_path, "no-paper") as empty:
        refused = kiosk(tmp_path, "slip", "print", empty.address)
        assert (refused.returncode, "it has no paper" in refused.stderr) == (1, True)
    missing = kiosk(tmp_path, "slip", "print", str(tmp_path / "lp9"))
    assert (missing.returncode, "No such file" in missing.stderr, (tmp_path / "lp9").exists()) == (1, True, False)
    arguments = (
        "usb is no printer: the address must be host:port, such as 10.20.0.30:9100, or a device such as /dev/usb/lp0"
    )
    assert kiosk(tmp_path, "slip", "print", "usb").stderr == f"kiosk: {arguments}\n"
