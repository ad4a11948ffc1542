"""A production installation has what the service needs, and nothing that only the demonstration or the tests need."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.kiosk.process_tree import LONG_S, ROOT, kiosk, serving, status
from tests.supply_chain.locked import RUN, normal, pins

LOCKS = ROOT / "requirements"
OTHERS_HIDDEN = """
import importlib.abc, importlib.metadata, re, sys

INSTALLED = set({installed!r})
OWNERS = importlib.metadata.packages_distributions()

class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        owners = {{re.sub("[-_.]+", "-", owner).lower() for owner in OWNERS.get(name.partition(".")[0], ())}}
        if owners and not owners & INSTALLED:
            raise ModuleNotFoundError(f"No module named {{name!r}} in production", name=name)

sys.meta_path.insert(0, Hidden())
"""
IMPORT_EVERYTHING = """
import importlib, pkgutil, kiosk, queueing, tokens
for room in (kiosk, queueing, tokens):
    for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        # Alembic runs the migrations itself; imported alone they have nothing to work on.
        # The program around eSpeak NG is started alone, with the optional package that it needs.
        left_out = module.name.startswith(("kiosk.demo", "kiosk.archive.migrations", "kiosk.voice.espeak_wheel"))
        if not left_out and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def names(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[\[<>=~! ;]", line, maxsplit=1)[0]) for line in requirements}


@pytest.fixture
def as_in_production(tmp_path: Path) -> str:
    """A ``PYTHONPATH`` under which every Python finds only the packages of run.txt, and the project."""
    folder = tmp_path / "hidden"
    folder.mkdir()
    code = OTHERS_HIDDEN.format(installed=sorted({*pins(RUN), "abdm-kiosk"}))
    (folder / "sitecustomize.py").write_text(code, "utf-8")
    return f"{folder}:{ROOT}"


def run_python(code: str, path: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        timeout=LONG_S, check=False,
    )  # fmt: skip
    return done.stderr


def test_the_packages_of_run_txt_serve_everything(tmp_path: Path, as_in_production: str) -> None:
    """No lint of imports: the real processes, with every other package hidden from them."""
    assert "No module named 'faker' in production" in run_python("import faker", as_in_production)
    assert run_python(IMPORT_EVERYTHING, as_in_production) == ""
    with serving(tmp_path / "data", PYTHONPATH=as_in_production, KIOSK_WORKERS="1") as tree:
        url = tree.ready()
        answers = {page: status(url + page) for page in ("/", "/readyz", "/metrics", "/schema", "/console/login")}
        assert tree.stop() == 0
    assert answers == dict.fromkeys(answers, 200)
    assert tree.log_events("child_died") == []


def test_commands_run_with_the_packages_of_run_txt(tmp_path: Path, as_in_production: str) -> None:
    done = kiosk(tmp_path / "data", "keys", "list", PYTHONPATH=as_in_production)
    assert (done.returncode, done.stderr) == (0, "")


def test_run_txt_has_no_package_of_the_demonstration_or_the_tests() -> None:
    extras = project()["optional-dependencies"]
    other = names([line for extra in ("demo", "dev", "load") for line in extras[extra]])
    needed = names(project()["dependencies"])
    # Litestar needs them: the tests name them because they import them as well.
    assert set(pins(RUN)) & (other - needed) == {"anyio", "pyyaml"}
    assert {"faker", "polyfactory", "rich", "httpx", "pytest", "locust"} & set(pins(RUN)) == set()


def test_every_lock_pins_what_run_txt_pins() -> None:
    """Tests and the demonstration run what is shipped."""
    shipped = {(pin.name, pin.version) for pin in pins(RUN).values()}
    for lock in ("demo.txt", "dev.txt"):
        assert shipped <= {(pin.name, pin.version) for pin in pins(LOCKS / lock).values()}, lock


def test_the_image_holds_the_three_rooms_of_the_service_and_run_txt_alone() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert [name for line in copied for name in line] == [
        "requirements/run.txt", "pyproject.toml", "README.md", "LICENSE", "tokens", "queueing", "kiosk",
    ]  # fmt: skip
    installs = [line for line in lines if "pip install" in line and "-r" in line]
    assert len(installs) == 1
    assert all(flag in installs[0] for flag in ("--no-deps", "--require-hashes", "--only-binary :all:"))


def images() -> dict[str, list[str]]:
    """File → the images it starts from, with the defaults of its arguments filled in."""
    found = {}
    for file in ("Dockerfile", ".devcontainer/Dockerfile"):
        text = (ROOT / file).read_text("utf-8")
        defaults = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE))
        bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
        found[file] = [f"${base[2:-1]}={defaults[base[2:-1]]}" if base.startswith("${") else base for base in bases]
    compose = (ROOT / "deploy" / "compose.yaml").read_text("utf-8")
    found["deploy/compose.yaml"] = [
        f"${name}={default}" for name, default in re.findall(r"(?:image|_IMAGE): \$\{(\w+):-([^}]+)\}", compose)
    ]
    assert len(re.findall(r"^ +(?:image|\w+_IMAGE):", compose, re.MULTILINE)) == len(found["deploy/compose.yaml"])
    return found


def test_every_image_can_be_named_by_its_digest_and_none_is_the_latest() -> None:
    explained = (ROOT / "deploy" / "README.md").read_text("utf-8")
    assert {file: len(bases) for file, bases in images().items()} == {
        "Dockerfile": 2, ".devcontainer/Dockerfile": 1, "deploy/compose.yaml": 2,
    }  # fmt: skip
    for bases in images().values():
        for base in bases:
            if "@sha256:" not in base:
                argument, _, image = base.partition("=")
                assert argument.startswith("$"), f"{base} has neither a digest nor an argument that takes one"
                assert f"`{argument[1:]}`" in explained
                assert re.search(r":\d[\w.-]*$", image), f"{base} names no version"
    assert '"image"' not in (ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8")
