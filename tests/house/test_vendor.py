"""What the page has from others is what their packages hold, and the page is small. Nothing here asks a network."""

from __future__ import annotations

import hashlib
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.project_files import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ASSETS = ROOT / "xpm_cli" / "page" / "assets"
VENDORED = 100_000
"""Bytes of what others have written, at most."""
OWN = 90_000
"""Bytes of our own scripts and styles, at most. Each view loads only those that it needs."""


@pytest.fixture(scope="module")
def vendor() -> dict[str, Any]:
    """The names of deploy/vendor.py."""
    return runpy.run_path(str(ROOT / "deploy" / "vendor.py"))


def record() -> list[dict[str, Any]]:
    packages = tomllib.loads((ASSETS / "vendor" / "vendor.toml").read_text())["package"]
    assert isinstance(packages, list)
    return packages


def test_vendored_files_have_the_hashes_on_record() -> None:
    recorded = {name: digest for package in record() for name, digest in package["sha256"].items()}
    there = {path.name: path.read_bytes() for path in (ASSETS / "vendor").iterdir() if path.name != "vendor.toml"}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in there.items()} == recorded


def test_record_is_that_of_the_program(vendor: dict[str, Any]) -> None:
    content = {path.name: path.read_bytes() for path in (ASSETS / "vendor").iterdir()}
    assert vendor["record"](content) == content["vendor.toml"].decode()


def test_each_package_comes_with_its_licence() -> None:
    for package in record():
        (licence,) = (name for name in package["sha256"] if name.endswith(".LICENSE"))
        assert package["licence"] in ("MIT", "0BSD")
        assert "Permission" in (ASSETS / "vendor" / licence).read_text()


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"a.js": b"1", "b.js": b"2"}, []),
        ({"a.js": b"1"}, ["b.js: missing"]),
        ({"a.js": b"0", "b.js": b"2"}, ["a.js: differs"]),
        ({"a.js": b"1", "b.js": b"2", "c.js": b""}, ["c.js: in no package"]),
    ],
)
def test_a_change_is_noticed(vendor: dict[str, Any], tmp_path: Path, there: dict[str, bytes], said: list[str]) -> None:
    for name, data in there.items():
        (tmp_path / name).write_bytes(data)
    content = {"a.js": b"1", "b.js": b"2"}
    assert vendor["differences"](content, tmp_path) == said
    vendor["write"](content, tmp_path)
    assert vendor["differences"](content, tmp_path) == []


def test_page_is_small() -> None:
    sizes = {path: path.stat().st_size for path in ASSETS.rglob("*") if path.suffix in (".js", ".css")}
    vendored = sum(size for path, size in sizes.items() if path.parent.name == "vendor")
    assert vendored <= VENDORED
    assert sum(sizes.values()) - vendored <= OWN
