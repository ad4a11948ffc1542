"""Names that were stored as they came, before names were cleaned on arrival: harmless at every exit."""

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from litestar import Litestar

from kiosk.app import create_app
from kiosk.services.web import Services
from kiosk.settings import load
from kiosk.web.handover import services_of
from queueing import library
from queueing.display_text import ascii_where_unseen, terminal_text
from queueing.embedded.server import EmbeddedValkey
from queueing.models import Facility, Queue
from queueing.redis_keys import facility_root
from queueing.registry import Registry
from queueing.staff import login_digest, login_key
from queueing.store.store import Store, open_store
from tests.kiosk.in_process import kiosk

HIP = "IN01"
TRICKS = "\x1b[2J\u202e\u2066\u115f\uffa0\u200b\x9b"
FACILITY, QUEUE, STAFF = f"District{TRICKS} Hospital", f"Medi{TRICKS}cine", f"Anna{TRICKS} Kaul"
FACILITY_NAMES = {"hi": f"ज़िला{TRICKS} अस्पताल", "ur": "\u202e\u200b", "ks": f" {'ض' * 150} \u200b "}
SHOWN_NAMES = {"hi": "ज़िला[2J अस्पताल", "ks": "ض" * 150}
ISOLATES = {"U+2066", "U+2068", "U+2069"}
"""With them our own pages isolate what they join; nothing else of the tricks may stand in them."""
SHOWN = ("District[2J Hospital", "Medi[2Jcine", "Anna[2J Kaul")


def hostile(text: str) -> list[str]:
    """Characters of the text that move a cursor, turn a line around or draw nothing."""
    unseen = {"Cc", "Cf", "Cs", "Co", "Cn"}
    return [
        f"U+{ord(char):04X}"
        for char in text
        if char not in "\t\r\n\u200c\u200d" and (unicodedata.category(char) in unseen or char in "\u115f\uffa0")
    ]


async def put_as_before(store: Store) -> None:
    """Straight into the store, as a release that did not look at names wrote them."""
    registry, root, pack = Registry(store), facility_root(HIP), msgspec.msgpack.encode
    await registry.put_facility(Facility(hip_id=HIP, name="x"))
    await registry.put_queue(HIP, Queue(id="medicine", name="x", prefix="M"), 1)
    packed: dict[bytes, Facility | Queue] = {
        b"facility": Facility(hip_id=HIP, name=FACILITY, names=FACILITY_NAMES),
        b"q:medicine": Queue(id="medicine", name=QUEUE, prefix="M"),
    }
    for field, value in packed.items():
        flat = await store.call(root, "HGET", f"{root}:f", field)
        assert isinstance(flat, bytes)
        await store.call(
            root,
            "HSET",
            f"{root}:f",
            field,
            pack(msgspec.msgpack.decode(flat) | {"name": value.name, "names": value.names}),
        )


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Litestar]:
    async with EmbeddedValkey(tmp_path / "data") as server:
        store = await open_store(server.url)
        await library.load(store)
        await put_as_before(store)
        await store.close()
        app = create_app(load({"KIOSK_DATA_DIR": str(server.folder)}))
        async with app.lifespan():
            yield app


@pytest.mark.anyio
async def test_boards_screens_forms_and_the_live_stream_show_them_clean(app: Litestar) -> None:
    services: Services = services_of(app)
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot is not None
    assert (snapshot.name, snapshot.queues[0].name) == SHOWN[:2]
    assert snapshot.names == SHOWN_NAMES
    assert hostile(msgspec.json.encode(snapshot).decode()) == []
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 9))  # type: ignore[arg-type]  # both mean ASGI
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as visitor:
        code = (await visitor.get(f"/kiosk/{HIP}/M1/qr")).json()
        form = "/go/" + str(code["camera"]["text"]).rpartition("/go/")[2]
        for page in (f"/board/{HIP}", f"/kiosk/{HIP}/M1", form, f"/?facility={HIP}"):
            answer = await visitor.get(page)
            assert answer.status_code == 200, page
            assert set(hostile(answer.text)) <= ISOLATES, page
            assert "District[2J Hospital" in answer.text, page
            named = await visitor.get(page, params={"lang": "hi", "facility": HIP})
            assert set(hostile(named.text)) <= ISOLATES, page
            assert SHOWN_NAMES["hi"] in named.text, page


@pytest.mark.anyio
async def test_the_console_reads_staff_and_hospitals_clean(app: Litestar) -> None:
    services: Services = services_of(app)
    await services.staff.add("anna", facility=HIP, role="clerk", name="x")
    key = login_key(login_digest("anna"))
    await services.store.call(key, "HSET", key, "name", STAFF)
    [member] = await services.staff.of(HIP)
    assert member.name == SHOWN[2]
    hospital = await services.registry.hospital(HIP)
    assert hospital is not None
    assert (hospital.facility.name, hospital.queue_names["medicine"]) == SHOWN[:2]
    assert hospital.facility.names == SHOWN_NAMES


@pytest.mark.slow
def test_terminals_get_them_clean_and_json_keeps_them_as_escapes(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert kiosk(folder, "facility", "add", HIP, "--name", "x").returncode == 0

    async def write() -> None:
        async with EmbeddedValkey(folder) as server:
            store = await open_store(server.url)
            await put_as_before(store)
            await store.close()

    asyncio.run(write())
    for arguments in (("facility", "list"), ("queue", "list", HIP), ("facility", "list", "--json")):
        done = kiosk(folder, *arguments)
        assert done.returncode == 0, done.stderr
        assert hostile(done.stdout) == [], arguments
    assert SHOWN[0] in kiosk(folder, "facility", "list").stdout


@pytest.mark.parametrize("char", ["\x9b", "\u202e", "\u115f", "\U000e0001", "\x7f", "\ud800"])
def test_json_for_a_terminal_says_the_same_to_a_program(char: str) -> None:
    text = ascii_where_unseen(f'{{"name": "a{char}\u0939\u093f"}}\n')
    assert hostile(text) == []
    assert json.loads(text) == {"name": f"a{char}\u0939\u093f"}
    assert hostile(terminal_text(f"a{char}b\n")) == []
