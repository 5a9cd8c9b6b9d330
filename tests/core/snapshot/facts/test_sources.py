"""Packages that come from no index: where they come from, and the digest of what is imported."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from helpers.package_sites import Site, git
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.snapshot.facts.installed import installed
from xpm_core.snapshot.facts.python_files import digest_of
from xpm_core.snapshot.facts.sources import sources


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


FILES = ["lab/__init__.py", "lab/model.py"]


def test_an_editable_package_has_the_digest_of_its_files_as_they_are(site: Site) -> None:
    site.install("lab", {"url": site.lab.as_uri(), "dir_info": {"editable": True}})
    first = site.facts("lab")
    assert first == {"folder": str(site.lab), "editable": True, "files": 2, "digest": digest_of(str(site.lab), FILES)}
    (site.lab / "lab" / "model.py").write_text("layers = 4\n")
    assert site.facts("lab")["digest"] != first["digest"]


def test_a_folder_with_a_blank_is_found(tmp_path: Path) -> None:
    site = Site(tmp_path / "my lab")
    site.install("lab", {"url": site.lab.as_uri(), "dir_info": {"editable": True}})
    assert site.facts("lab")["folder"] == str(site.lab)


def test_a_copy_of_a_folder_has_the_digest_of_the_copy(site: Site) -> None:
    for name in FILES:
        place = site.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text((site.lab / name).read_text())
    record = "".join(f"{name},sha256=x,1\n" for name in [*FILES, "lab/data.csv"])
    site.install("lab", {"url": site.lab.as_uri(), "dir_info": {}}, record)
    first = site.facts("lab")
    assert first == {"folder": str(site.lab), "editable": False, "files": 2, "digest": digest_of(str(site.lab), FILES)}
    (site.lab / "lab" / "model.py").write_text("layers = 4\n")
    assert site.facts("lab")["digest"] == first["digest"]


def test_a_copy_of_a_folder_that_was_changed_since_is_dirty(site: Site) -> None:
    git(site.lab, "init", "-q")
    git(site.lab, "add", ".")
    git(site.lab, "commit", "-qm", "first")
    (site.folder / "lab").mkdir(parents=True)
    for name in FILES:
        (site.folder / name).write_text((site.lab / name).read_text())
    site.install("lab", {"url": site.lab.as_uri(), "dir_info": {}}, "".join(f"{name},,\n" for name in FILES))
    assert site.facts("lab")["dirty"] is False
    (site.lab / "lab" / "model.py").write_text("layers = 4\n")
    git(site.lab, "commit", "-qam", "second")
    assert site.facts("lab")["dirty"] is True


def test_a_repository_and_an_archive_are_named_without_passwords(site: Site) -> None:
    commit = "1a" * 20
    site.install("repo", {"url": "https://me:pw@host/x.git", "vcs_info": {"vcs": "git", "commit_id": commit}})
    site.install("file", {"url": "https://host/x.whl", "archive_info": {"hash": "sha256=ab"}})
    assert site.facts("repo") == {"url": "https://***@host/x.git", "commit": commit}
    assert site.facts("file") == {"url": "https://host/x.whl", "hash": "sha256=ab"}


@pytest.mark.parametrize("name", ["lab.pth", "_lab.pth", "__editable__.lab-1.0.pth"])
def test_a_path_file_of_a_package_names_its_folder(site: Site, name: str) -> None:
    site.install("lab")
    site.install("other")
    (site.folder / name).write_text(f"import sys\n{site.lab}\n")
    (site.folder / "distutils-precedence.pth").write_text("import os\n")
    (site.folder / "none.pth").write_text(f"{site.lab}\n")
    assert list(site.found) == ["lab"]
    assert site.facts("lab")["digest"] == digest_of(str(site.lab), FILES)


def test_a_develop_link_leads_to_the_source(site: Site) -> None:
    (site.lab / "lab.egg-info").mkdir()
    (site.lab / "lab.egg-info" / "PKG-INFO").write_text("Name: lab\nVersion: 0.3\n")
    site.folder.mkdir()
    (site.folder / "lab.egg-link").write_text(f"{site.lab}\n.")
    assert site.facts("lab") == {
        "folder": str(site.lab), "editable": True, "files": 2, "digest": digest_of(str(site.lab), FILES)
    }  # fmt: skip


def test_a_source_that_is_gone_has_no_digest(site: Site, tmp_path: Path) -> None:
    site.install("lab", {"url": (tmp_path / "gone").as_uri(), "dir_info": {"editable": True}})
    assert site.facts("lab") == {"folder": str(tmp_path / "gone"), "editable": True}


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
damaged = st.one_of(
    st.text(max_size=20),
    json_values.map(json.dumps),
    st.fixed_dictionaries(
        {"url": json_values | st.just("file:///x")},
        optional={"dir_info": json_values, "vcs_info": json_values, "archive_info": json_values},
    ).map(json.dumps),
)


@given(damaged)
def test_damaged_metadata_of_a_package_is_no_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    site = Site(tmp_path_factory.mktemp("site"))
    site.install("bad", text.encode("utf-8", "replace").decode(), "\0,,\n")
    site.install("good", {"url": site.lab.as_uri(), "dir_info": {"editable": True}})
    for source in site.found.values():
        json.dumps(source.facts(source.look()))
    assert site.facts("good")["files"] == 2


def test_this_project_is_installed_as_an_editable_package() -> None:
    found = sources(installed(sys.path), sys.path)
    assert "xpm-queue" in found
    assert (Path(found["xpm-queue"].folder) / "xpm_core").is_dir() or not found["xpm-queue"].editable
