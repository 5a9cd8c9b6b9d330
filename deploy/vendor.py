"""Fetch what the page takes from others: one minified file of each package, and its licence.

    python deploy/vendor.py            fetch the packages, and write assets/vendor/ and its vendor.toml
    python deploy/vendor.py --check    fetch the packages, and compare; the exit code is 1 if anything differs

It needs `npm`, and asks its registry. Nothing is built. To take another version, change `PACKAGES` and run it.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parents[1] / "xpm_cli" / "page" / "assets" / "vendor"
RECORD = "vendor.toml"
HEADER = "# Written by deploy/vendor.py: what this folder has from others, and the SHA-256 of each file.\n"


class Package(NamedTuple):
    """A package of npm.

    Attributes:
        name: Its name.
        version: Its version.
        licence: Its licence, as SPDX calls it.
        files: By the name of the file here: its path in the package.
    """

    name: str
    version: str
    licence: str
    files: Mapping[str, str]


PACKAGES = (
    Package("htmx.org", "4.0.1", "0BSD", {"htmx.min.js": "dist/htmx.min.js", "htmx.LICENSE": "LICENSE"}),
    Package(
        "uplot",
        "1.6.32",
        "MIT",
        {
            "uPlot.iife.min.js": "dist/uPlot.iife.min.js",
            "uPlot.min.css": "dist/uPlot.min.css",
            "uPlot.LICENSE": "LICENSE",
        },
    ),
)


def main() -> int:
    """Write the folder, or compare it. Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and compare")
    checks = parser.parse_args().check
    content = fetched()
    if not checks:
        write(content, FOLDER)
        print(f"{FOLDER}: {len(content)} files, {sum(map(len, content.values()))} bytes")
        return 0
    found = differences(content, FOLDER)
    print("\n".join(found) or f"{FOLDER}: as in npm's registry")
    return 1 if found else 0


def fetched() -> dict[str, bytes]:
    """Return the content of each file of the folder, with its record, as the registry has it."""
    content: dict[str, bytes] = {}
    for package in PACKAGES:
        files = packed(package)
        content |= {name: files[f"package/{path}"] for name, path in package.files.items()}
    content[RECORD] = record(content).encode()
    return content


def packed(package: Package) -> dict[str, bytes]:
    """Return the files of a package by their paths. `npm pack` compares the archive to the registry's checksum."""
    with tempfile.TemporaryDirectory() as folder:
        asked = f"{package.name}@{package.version}"
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder, asked]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            members = [(member.name, tar.extractfile(member)) for member in tar if member.isfile()]
            return {name: file.read() for name, file in members if file is not None}


def record(content: Mapping[str, bytes]) -> str:
    """Return what vendor.toml says: of each package its name, version, licence, and the SHA-256 of its files."""
    parts = [HEADER]
    for package in PACKAGES:
        hashes = (f'"{name}" = "{hashlib.sha256(content[name]).hexdigest()}"' for name in package.files)
        about = {"name": package.name, "version": package.version, "licence": package.licence}
        lines = ["[[package]]", *(f'{key} = "{value}"' for key, value in about.items())]
        parts.append("\n".join([*lines, "[package.sha256]", *hashes, ""]))
    return "\n".join(parts)


def write(content: Mapping[str, bytes], folder: Path) -> None:
    """Let the folder hold these files, and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in content:
            path.unlink()
    for name, data in content.items():
        (folder / name).write_bytes(data)


def differences(content: Mapping[str, bytes], folder: Path) -> list[str]:
    """Return what is different in a folder, a line for each file."""
    there = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}
    lines = []
    for name in sorted({*content, *there}):
        if name not in there:
            lines.append(f"{name}: missing")
        elif name not in content:
            lines.append(f"{name}: in no package")
        elif content[name] != there[name]:
            lines.append(f"{name}: differs")
    return lines


if __name__ == "__main__":
    sys.exit(main())
