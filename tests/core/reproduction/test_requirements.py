"""requirements.txt of a record of packages: what it pins, what it says of the rest, and that pip can read it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pip._internal.req.constructors import install_req_from_line

from xpm_core.errors import SnapshotError
from xpm_core.project.moved_code import UNMOVED, MovedCode
from xpm_core.reproduction.requirements import Packages, differences, requirements, unpinned
from xpm_core.snapshot.facts.packages import packages_document

COMMIT = "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"
DIGEST = "ab" * 32


def packages(sources: dict[str, Any] | None = None, **versions: str) -> Packages:
    document = {"schema": 1, "python": "3.12.4", "packages": versions, "sources": sources or {}}
    return Packages.read(json.dumps(document).encode())


def test_versions_are_pinned_and_python_is_said() -> None:
    assert requirements(packages(numpy="2.1.3", six="1.16"), UNMOVED) == [
        "# Python 3.12.4",
        "numpy==2.1.3",
        "six==1.16",
    ]


def test_package_without_a_version_is_a_comment() -> None:
    found = packages(odd="")
    assert requirements(found, UNMOVED)[1:] == ["# odd: no version was recorded"]
    assert list(unpinned(found, UNMOVED)) == ["odd: no version was recorded"]


def test_editable_package_is_a_comment_with_commit_and_digest() -> None:
    source = {"folder": "/home/me/lab", "editable": True, "commit": COMMIT, "dirty": True, "files": 3, "digest": DIGEST}
    found = packages({"lab": source}, lab="0.1")
    described = "from /home/me/lab, editable, git commit 1a2b3c4 with changes, 3 Python files of SHA-256 abababa"
    assert requirements(found, UNMOVED)[1] == (
        f"# lab 0.1: {described}. To install what is there now: pip install /home/me/lab"
    )
    assert list(unpinned(found, UNMOVED)) == [f"lab 0.1: {described}. No index has it"]


def test_package_whose_files_are_in_the_snapshot_is_pinned() -> None:
    kept = MovedCode({"/home/me/mono": "code/mono"})
    found = packages({"lab": {"folder": "/home/me/mono/packages/lab", "editable": True}}, lab="0.1")
    assert requirements(found, kept)[1].endswith("Its files are in code/mono/packages/lab.")
    assert not list(unpinned(found, kept))


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ({"url": "https://git.example/lab.git", "commit": COMMIT}, f"lab @ git+https://git.example/lab.git@{COMMIT}"),
        ({"url": "https://host/lab.whl", "hash": f"sha256={DIGEST}"}, f"lab @ https://host/lab.whl#sha256={DIGEST}"),
    ],
)
def test_repository_and_archive_are_pinned_by_commit_and_hash(source: dict[str, str], line: str) -> None:
    found = packages({"lab": source}, lab="0.1")
    assert requirements(found, UNMOVED)[1] == line
    assert not list(unpinned(found, UNMOVED))
    assert install_req_from_line(line).name == "lab"


@pytest.mark.parametrize(
    "source", [{"url": "https://***@host/lab.git", "commit": COMMIT}, {"url": "https://host/lab.whl"}, {}]
)
def test_source_that_says_too_little_is_a_comment(source: dict[str, str]) -> None:
    found = packages({"lab": source}, lab="0.1")
    assert requirements(found, UNMOVED)[1].startswith("# lab 0.1: from ")
    assert len(list(unpinned(found, UNMOVED))) == 1


def test_text_from_the_record_makes_no_line_of_its_own() -> None:
    found = packages({"lab": {"folder": "/home/me/lab\nevil==1"}}, lab="0.1\n--index-url=http://evil")
    assert len(requirements(found, UNMOVED)) == 2
    assert all("\n" not in each for each in requirements(packages(six="1\n--pre"), UNMOVED))


def test_differences_name_what_is_other_here_or_not_there() -> None:
    then = packages({"lab": {"folder": "/lab", "digest": "a"}}, lab="0.1", numpy="1.26", six="1.16", torch="2.9")
    now = packages({"lab": {"folder": "/lab", "digest": "b"}}, lab="0.1", numpy="2.1", six="1.16", new="1")
    assert [text for _, text in differences(then, now)] == [
        "lab 0.1: its files are others here",
        "numpy 1.26 then, 2.1 here",
        "torch 2.9 then, not installed here",
    ]


def test_real_environment_is_read_and_pip_understands_every_line() -> None:
    found = Packages.read(packages_document())
    assert not list(differences(found, Packages.read(packages_document())))
    lines = [each for each in requirements(found, UNMOVED) if not each.startswith("#")]
    assert {install_req_from_line(each).name for each in lines} <= set(found.versions)
    assert f"pytest=={pytest.__version__}" in lines


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"packages": 3}', b'{"packages": {}, "sources": {"a": 1}}'])
def test_malformed_record_is_an_error(content: bytes) -> None:
    with pytest.raises(SnapshotError, match="malformed"):
        Packages.read(content)
