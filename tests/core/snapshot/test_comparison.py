"""Which files of two snapshots differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xpm_core.snapshot.comparison import differing
from xpm_core.snapshot.manifest import Entry, KeptFile, LargeFile, Link, Manifest

entries = st.one_of(
    st.builds(
        lambda mode, digit: KeptFile(0, "", mode, digit * 64, 1), st.sampled_from([0o644, 0o755]), st.sampled_from("ab")
    ),
    st.just(LargeFile(0, "", "/data/a", 5, 1)),
    st.just(Link(0, "", "/data/a")),
)
files = st.dictionaries(st.sampled_from(["a.py", "b.py", "lib/c.py", "d"]), entries, max_size=4)


def manifest(found: dict[str, Entry], *trees: str) -> Manifest:
    return Manifest(list(trees) or ["lab"], [entry._replace(path=path) for path, entry in found.items()])


@given(files, files)
def test_those_files_differ_that_are_not_the_same_in_both(first: dict[str, Entry], second: dict[str, Entry]) -> None:
    expected = [path for path in sorted({*first, *second}) if first.get(path) != second.get(path)]
    found = differing(manifest(first), manifest(second))
    assert [each.path for each in found] == expected
    back = {"added": "removed", "removed": "added", "changed": "changed"}
    assert [each.change for each in differing(manifest(second), manifest(first))] == [
        back[each.change] for each in found
    ]


def test_names_of_single_trees_do_not_matter() -> None:
    found = {"a.py": KeptFile(0, "", 0o644, "a" * 64, 1)}
    assert differing(manifest(found, "lab"), manifest(found, "lab-2")) == []


def test_trees_are_compared_by_their_names() -> None:
    ours = Manifest(["lab", "lib"], [KeptFile(0, "a.py", 0o644, "a" * 64, 1), KeptFile(1, "a.py", 0o644, "b" * 64, 1)])
    theirs = Manifest(
        ["lib", "lab"], [KeptFile(1, "a.py", 0o644, "a" * 64, 1), KeptFile(0, "a.py", 0o644, "c" * 64, 1)]
    )
    assert [each.path for each in differing(ours, theirs)] == ["lib/a.py"]
