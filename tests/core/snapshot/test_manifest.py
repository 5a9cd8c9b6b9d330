"""Manifests: what a snapshot holds, and what a forged or damaged one is refused for."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.manifest import Entry, KeptFile, LargeFile, Link, Manifest

DIGEST = sha256(b"").hexdigest()
HEAD = {"version": 1, "trees": ["digits"]}

names = st.text(min_size=1, max_size=8).filter(lambda name: not {"/", "\0"} & set(name) and name not in (".", ".."))
sizes = st.integers(0, 10**12)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """Entries of two trees, each with a name that no other one has as its folder."""
    found: list[Entry] = []
    for number, name in enumerate(draw(st.lists(names, max_size=6, unique=True))):
        tree, path = draw(st.integers(0, 1)), f"{number}{name}/{draw(names)}"
        kept = KeptFile(tree, path, draw(st.integers(0, 0o777)), draw(st.binary(min_size=32, max_size=32)).hex(), 1)
        large = LargeFile(tree, path, f"/data/{name}", draw(sizes), draw(sizes))
        found.append(draw(st.sampled_from([kept, large, Link(tree, path, f"/data/{name}")])))
    return found


def manifest_of(*lines: object) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def read(*lines: object) -> Manifest:
    data = manifest_of(*lines)
    return Manifest.read(data, sha256(data).hexdigest())


@given(entries())
def test_manifest_that_is_read_equals_the_one_that_was_written(found: list[Entry]) -> None:
    written = Manifest(["digits", "lib"], found)
    again = Manifest.read(written.data, written.digest)
    assert (again.trees, again.entries, again.digest) == (written.trees, written.entries, written.digest)


@given(entries())
def test_order_of_the_entries_does_not_change_the_name_of_the_snapshot(found: list[Entry]) -> None:
    assert Manifest(["digits", "lib"], found).digest == Manifest(["digits", "lib"], found[::-1]).digest


def test_names_with_newlines_and_bytes_that_are_no_text_come_back() -> None:
    odd = [KeptFile(0, "a\nb.py", 0o644, DIGEST, 0), KeptFile(0, "caf\udce9.py", 0o755, DIGEST, 0)]
    written = Manifest(["digits"], list(odd))
    assert Manifest.read(written.data, written.digest).files == odd
    assert len(written.data.splitlines()) == 3


def test_changed_bytes_are_refused() -> None:
    manifest = Manifest(["digits"], [KeptFile(0, "train.py", 0o644, DIGEST, 0)])
    with pytest.raises(SnapshotError, match=rf"snapshot {manifest.digest[:7]}: its list of files was changed"):
        Manifest.read(manifest.data.replace(b"train", b"brain"), manifest.digest)


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/.", "a\0b"])
def test_path_that_leaves_its_tree_is_refused(path: str) -> None:
    with pytest.raises(SnapshotError, match="leaves its folder"):
        read(HEAD, [0, path, "100644", DIGEST, 0])


@pytest.mark.parametrize("tree", ["..", ".", "", "a/b", "a\0"])
def test_tree_that_is_no_name_of_a_folder_is_refused(tree: str) -> None:
    with pytest.raises(SnapshotError, match="is no name of a folder"):
        read({"version": 1, "trees": [tree]})


def test_entries_that_cannot_both_exist_are_refused() -> None:
    with pytest.raises(SnapshotError, match="'data' is a file and a folder"):
        read(HEAD, [0, "data", "link", "/data"], [0, "data/x.py", "100644", DIGEST, 0])
    with pytest.raises(SnapshotError, match=r"'x.py' is there twice"):
        read(HEAD, [0, "x.py", "100644", DIGEST, 0], [0, "x.py", "100644", DIGEST, 0])
    with pytest.raises(SnapshotError, match="two of its trees have one name"):
        read({"version": 1, "trees": ["digits", "digits"]})


def test_entry_of_a_tree_that_is_not_there_is_refused() -> None:
    for tree in (1, -1):
        with pytest.raises(SnapshotError, match="leaves its folder"):
            read(HEAD, [tree, "x.py", "100644", DIGEST, 0])


@pytest.mark.parametrize(
    "line",
    [
        [],
        {},
        None,
        [0, "x.py"],
        [0, "x.py", "100644"],
        [0, "x.py", "100644", DIGEST],
        [0, "x.py", "100644", "../../etc/passwd", 0],
        [0, "x.py", "100644", DIGEST.upper(), 0],
        [0, "x.py", "120000", DIGEST, 0],
        [0, "x.py", "100999", DIGEST, 0],
        [0, "x.py", "1004755", DIGEST, 0],
        [0, "x.py", "100644", DIGEST, "many"],
        ["0", "x.py", "100644", DIGEST, 0],
        [0, 7, "100644", DIGEST, 0],
        [0, "x.py", "link"],
        [0, "x.py", "large", "/data/x"],
        [0, "x.py", 7, DIGEST, 0],
    ],
    ids=repr,
)
def test_malformed_line_is_refused(line: object) -> None:
    with pytest.raises(SnapshotError, match="its list of files is malformed"):
        read(HEAD, line)


@pytest.mark.parametrize("head", [[], {}, {"version": 1}, {"trees": ["digits"]}, {"version": 1, "trees": 7}], ids=repr)
def test_malformed_head_is_refused(head: object) -> None:
    with pytest.raises(SnapshotError, match="malformed"):
        read(head)


def test_form_of_a_later_version_is_refused_with_the_remedy() -> None:
    with pytest.raises(SnapshotError, match=r"its form is of version 2. Use a later xpm"):
        read({"version": 2, "trees": ["digits"]})


def test_empty_data_and_data_that_are_no_json_are_refused() -> None:
    for data in (b"", b"\n", b"\xff\xfe", b"{"):
        with pytest.raises(SnapshotError, match="malformed"):
            Manifest.read(data, sha256(data).hexdigest())
