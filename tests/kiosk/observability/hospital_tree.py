"""A ``kiosk serve`` with two workers, a gateway of the test and its signing key; and what Prometheus would read."""

import http.client
import json
import os
import re
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from tests.kiosk.abdm.fake_gateway import ISSUER, SigningKey, good_claims
from tests.kiosk.in_process import kiosk
from tests.kiosk.process_tree import Tree, alive, serving

HIP = "IN01"
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


class HospitalTree:
    """One hospital with the counter M1, on a tree with two workers."""

    def __init__(self, tree: Tree, key: SigningKey) -> None:
        self.tree = tree
        self.url = tree.ready()
        self._key = key
        self._authorization = f"Bearer {key.sign(good_claims())}"
        self._address = urlsplit(self.url).netloc

    def metric(self, name: str, **labels: str) -> float | None:
        """The sum of the samples with these labels; None when there is no sample."""
        text = self._metrics()
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        found = [
            float(value)
            for sample, listed, value in SAMPLE.findall(text)
            if sample == name and wanted <= set(listed.split(","))
        ]
        return sum(found) if found else None

    def _metrics(self) -> str:
        for _ in range(50):
            with suppress(ConnectionError):  # a worker that was killed while it answered
                with urlopen(f"{self.url}/metrics", timeout=10) as answer:  # noqa: S310 - an address of the test's own
                    return str(answer.read().decode())
            time.sleep(0.1)
        raise AssertionError("no worker gave its metrics")

    def scan(self, times: int = 1, *, context: str = "M1", abha: str = "", **claims: str) -> list[int]:
        """That many patients share their profile; the statuses that the gateway sees. ``claims`` spoil the token."""
        authorization = f"Bearer {self._key.sign(good_claims(**claims))}" if claims else self._authorization
        connection = http.client.HTTPConnection(self._address, timeout=30)
        statuses = []
        for _ in range(times):
            connection.request("POST", "/api/v3/hip/patient/share", _share(context, abha), _headers(authorization))
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
        return statuses

    def open_stream(self) -> socket.socket:
        """One screen's stream, open and with its first snapshot."""
        host, port = self._address.split(":")
        stream = socket.create_connection((host, int(port)), timeout=30)
        stream.sendall(f"GET /live/{HIP} HTTP/1.1\r\nHost: {self._address}\r\n\r\n".encode())
        begun = b""
        while b"event: snapshot" not in begun:
            begun += stream.recv(65_536)
        return stream

    def store_pid(self) -> int:
        return int(json.loads((self.tree.data_dir / "lock").read_text())["server"])


def _share(context: str, abha: str) -> bytes:
    number = uuid.uuid4().int
    patient = {
        "abhaNumber": abha or f"91-{number % 10**4:04}-{number // 10**4 % 10**4:04}-{number // 10**8 % 10**4:04}",
        "abhaAddress": f"p{number % 10**12}@sbx",
        "name": "Patient 1",
        "gender": "F",
        "dayOfBirth": "1",
        "monthOfBirth": "2",
        "yearOfBirth": "1990",
        "phoneNumber": str(9_000_000_000 + number % 10**9),
        "address": {"line": "1", "district": "Baramulla", "state": "JK", "pincode": "193101"},
    }
    place = {"hipId": HIP, "context": context, "hprId": "", "latitude": 34.0, "longitude": 74.0}
    return json.dumps({"intent": "PROFILE_SHARE", "metaData": place, "profile": {"patient": patient}}).encode()


def _headers(authorization: str) -> dict[str, str]:
    return {
        "Authorization": authorization,
        "REQUEST-ID": str(uuid.uuid4()),
        "TIMESTAMP": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "X-HIP-ID": HIP,
        "Content-Type": "application/json",
    }


@contextmanager
def hospital_tree(
    data_dir: Path, gateway_url: str, key: SigningKey, *, more_queues: tuple[str, ...] = ()
) -> Iterator[HospitalTree]:
    """A tree that knows the gateway's key from its last run, whether or not the gateway answers now."""
    kiosk(data_dir, "facility", "add", HIP, "--name", "District Hospital")
    kiosk(data_dir, "queue", "add", HIP, "medicine", "--name", "Medicine", "--prefix", "M")
    for queue, prefix in zip(more_queues[::2], more_queues[1::2], strict=True):
        kiosk(data_dir, "queue", "add", HIP, queue, "--name", queue, "--prefix", prefix)
    (data_dir / "gateway-keys.json").write_text(json.dumps({"keys": [key.jwk()]}))
    settings = {
        "KIOSK_WORKERS": "2",
        "KIOSK_GATEWAY_URL": gateway_url,
        "KIOSK_GATEWAY_CLIENT_ID": "SBX_1",
        "KIOSK_GATEWAY_CLIENT_SECRET": "s",
        "KIOSK_GATEWAY_ISSUER": ISSUER,
        "KIOSK_FACILITY_RATE": "1000",
        "KIOSK_FACILITY_BURST": "5000",
    }
    with serving(data_dir, **settings) as tree:
        yield HospitalTree(tree, key)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process that does nothing, and goes on afterwards."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        assert alive(pid)
