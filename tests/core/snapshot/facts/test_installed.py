"""The packages on an import path are found by the names of their metadata, also the old and the damaged ones."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from xpm_core.snapshot.facts.installed import installed, normal


def wheel(site: Path, folder: str, metadata: str = "Metadata-Version: 2.1\n") -> Path:
    place = site / folder
    place.mkdir(parents=True)
    (place / "METADATA").write_text(metadata)
    return place


def test_the_packages_of_this_interpreter_are_those_that_python_finds() -> None:
    known: dict[str, str] = {}
    for each in importlib.metadata.distributions():
        known.setdefault(normal(each.metadata["Name"]), each.version)
    found = {name: package.version for name, package in installed(sys.path).items()}
    assert found == known
    assert list(found) == sorted(found)


def test_the_first_package_of_a_name_counts(tmp_path: Path) -> None:
    wheel(tmp_path / "a", "Foo_Bar-1.0.dist-info")
    wheel(tmp_path / "b", "foo.bar-2.0.dist-info")
    found = installed([str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "none")])
    assert {name: package.version for name, package in found.items()} == {"foo-bar": "1.0"}


def test_old_packages_are_found(tmp_path: Path) -> None:
    (tmp_path / "PyYAML-5.4.1-py3.10-linux-x86_64.egg-info").mkdir()
    (tmp_path / "six-1.16.0.egg-info").write_text("Name: six\n")
    (tmp_path / "lab.egg-info").mkdir()
    (tmp_path / "lab.egg-info" / "PKG-INFO").write_text(
        "Metadata-Version: 2.1\nName: My.Lab\nVersion: 3\n\nName: other\n"
    )
    egg = tmp_path / "old-0.1-py3.10.egg"
    egg.mkdir()
    found = installed([str(tmp_path), str(egg)])
    assert {name: package.version for name, package in found.items()} == {
        "pyyaml": "5.4.1", "six": "1.16.0", "my-lab": "3", "old": "0.1"
    }  # fmt: skip
    assert found["my-lab"].folder == str(tmp_path)


def test_a_develop_link_names_its_folder(tmp_path: Path) -> None:
    site, source = tmp_path / "site", tmp_path / "lab"
    site.mkdir()
    (source / "lab.egg-info").mkdir(parents=True)
    (source / "lab.egg-info" / "PKG-INFO").write_text("Name: lab\nVersion: 0.3\n")
    (site / "lab.egg-link").write_text(f"{source}\n.")
    (site / "gone.egg-link").write_text(f"{tmp_path}/gone\n.")
    found = installed([str(site)])
    assert (found["lab"].version, found["lab"].folder) == ("0.3", str(source))
    assert found["gone"].version == ""


def test_remains_of_packages_are_passed_over(tmp_path: Path) -> None:
    wheel(tmp_path, "good-1.0.dist-info")
    wheel(tmp_path, "~umpy-1.0.dist-info")
    wheel(tmp_path, "-1.0.dist-info")
    wheel(tmp_path, "nothing.dist-info")
    (tmp_path / "empty-1.0.dist-info").mkdir()
    (tmp_path / "file-1.0.dist-info").write_text("")
    (tmp_path / "bad.egg-info").mkdir()
    (tmp_path / "bad.egg-info" / "PKG-INFO").write_bytes(b"\xff\xfe\0\0")
    (tmp_path / "bad.egg-link").mkdir()
    found = installed([str(tmp_path)])
    assert {name: package.version for name, package in found.items()} == {"good": "1.0", "bad": ""}


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,10}", fullmatch=True))
def test_a_normal_name_is_normal(name: str) -> None:
    assert normal(normal(name)) == normal(name)
    assert normal(name.upper().replace("-", "_")) == normal(name)
