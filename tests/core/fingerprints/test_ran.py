"""The document of what a job ran: written and read, bounded, and refused when it is malformed."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import SnapshotError
from xpm_core.fingerprints import ran as ran_module
from xpm_core.fingerprints.ran import LARGEST_RAN, MOST_FILES, MOST_FUNCTIONS, OpenedFile, Ran, RanModule

DIGEST = sha256(b"").hexdigest()
RAN = Ran(
    "monitoring",
    functions={("digits", "lib/a.py"): ("Model.forward", "f.<locals>.<lambda>"), ("other", "b.py"): ("g",)},
    modules=(RanModule("digits", "lib/a.py", "lib.a"), RanModule("digits", "tool.py", "")),
    files=(
        OpenedFile("digits", "absent.json", "absent"),
        OpenedFile("digits", "big.bin", "large", "", 5_000_000_000, -1),
        OpenedFile("digits", "data.csv", "digest", DIGEST, live=True),
        OpenedFile("digits", "log.txt", "unknown"),
    ),
    processes=("fork", "subprocess"),
    compilers=("numba",),
    lacks=("files",),
)

texts = st.text(st.characters(exclude_characters="/\0"), max_size=8)
names = texts.filter(lambda text: text not in ("", ".", ".."))
places = st.tuples(names, st.lists(names, min_size=1, max_size=3).map("/".join))
digests = st.binary().map(lambda data: sha256(data).hexdigest())
opened = st.one_of(
    st.tuples(places, digests, st.booleans()).map(lambda each: OpenedFile(*each[0], "digest", each[1], live=each[2])),
    st.tuples(places, st.integers(0), st.integers()).map(lambda each: OpenedFile(*each[0], "large", "", *each[1:])),
    st.tuples(places, st.sampled_from(["absent", "unknown"])).map(lambda each: OpenedFile(*each[0], each[1])),
)
documents = st.builds(
    Ran,
    means=st.sampled_from(["monitoring", "imports"]),
    why=texts,
    functions=st.dictionaries(places, st.lists(texts, min_size=1)),
    modules=st.lists(st.tuples(places, texts).map(lambda each: RanModule(*each[0], each[1]))),
    files=st.lists(opened),
    processes=st.lists(texts),
    compilers=st.lists(texts),
    lacks=st.lists(st.sampled_from(ran_module.PARTS)),
)


def test_a_document_comes_back() -> None:
    assert Ran.read(RAN.written()) == RAN
    assert RAN.digest == sha256(RAN.written()).hexdigest()


@given(documents)
def test_whatever_was_written_is_read_and_written_as_the_same_bytes(ran: Ran) -> None:
    assert Ran.read(ran.written()).written() == ran.written()


@given(documents)
def test_the_order_of_its_parts_does_not_matter(ran: Ran) -> None:
    functions = {place: list(reversed(list(names))) for place, names in reversed(list(ran.functions.items()))}
    turned = Ran(
        ran.means,
        ran.why,
        functions,
        *(tuple(reversed([*part, *part])) for part in (ran.modules, ran.files, ran.processes, ran.compilers)),
        ran.lacks,
    )
    assert turned.written() == ran.written()


def test_its_form_is_fixed() -> None:
    assert json.loads(RAN.written()) == {
        "version": 1,
        "means": "monitoring",
        "why": "",
        "functions": {"digits": {"lib/a.py": ["Model.forward", "f.<locals>.<lambda>"]}, "other": {"b.py": ["g"]}},
        "modules": [["digits", "lib/a.py", "lib.a"], ["digits", "tool.py", ""]],
        "files": [
            ["digits", "absent.json", "copy", "absent"],
            ["digits", "big.bin", "copy", "large", 5_000_000_000, -1],
            ["digits", "data.csv", "live", "digest", DIGEST],
            ["digits", "log.txt", "copy", "unknown"],
        ],
        "processes": ["fork", "subprocess"],
        "compilers": ["numba"],
        "lacks": ["files"],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"means": "guess"},
        {"version": True},
        {"version": 0},
        {"version": "1"},
        {"functions": []},
        {"functions": {"digits": {"../a.py": ["f"]}}},
        {"functions": {"a/b": {"a.py": ["f"]}}},
        {"functions": {"digits": {"a.py": "f"}}},
        {"functions": {"digits": {"a.py": []}}},
        {"functions": {"digits": {"a.py": ["g", "f"]}}},
        {"functions": {"digits": {"a.py": [1]}}},
        {"functions": {"digits": {"a.py": ["f" * 1001]}}},
        {"modules": [["digits", "a.py"]]},
        {"modules": [["digits", "/a.py", "a"]]},
        {"modules": {"digits": "a.py"}},
        {"files": [["digits", "a", "copy", "digest", DIGEST.upper()]]},
        {"files": [["digits", "a", "copy", "digest", DIGEST[1:]]]},
        {"files": [["digits", "a", "copy", "digest"]]},
        {"files": [["digits", "a", "copy", "large", 1.0, 2]]},
        {"files": [["digits", "a", "copy", "large", -1, 2]]},
        {"files": [["digits", "a", "copy", "gone"]]},
        {"files": [["digits", "a", "copy", "absent", 1]]},
        {"files": [["digits", "a", "absent"]]},
        {"files": [["digits", "a", "there", "absent"]]},
        {"files": [["digits", "a\0", "copy", "absent"]]},
        {"processes": "fork"},
        {"compilers": [None]},
        {"lacks": ["everything"]},
        {"lacks": [["files"]]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_malformed_document_is_refused(changes: dict[str, Any]) -> None:
    fields = {**json.loads(RAN.written()), **changes}
    data = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(SnapshotError, match="it is malformed"):
        Ran.read(data)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"1", b"\xff", b"[" * 100_000, b" " * (LARGEST_RAN + 1)])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError, match="it is malformed"):
        Ran.read(data)


def test_a_later_version_is_refused_with_the_remedy() -> None:
    with pytest.raises(SnapshotError, match=r"its form is of version 2. Use a later xpm"):
        Ran.read(RAN.written().replace(b'"version":1', b'"version":2'))


def test_what_is_over_a_limit_is_left_out_and_that_is_said() -> None:
    names = tuple(f"f{number}" for number in range(MOST_FUNCTIONS + 1))
    files = tuple(OpenedFile("t", f"{number}", "absent") for number in range(MOST_FILES + 1))
    found = Ran.read(Ran("monitoring", functions={("t", "a.py"): names}, files=files).written())
    assert (len(found.functions["t", "a.py"]), len(found.files)) == (MOST_FUNCTIONS, MOST_FILES)
    assert found.lacks == ("functions", "files")
    assert not found.sees_all


def test_a_name_that_no_document_can_hold_is_left_out_and_that_is_said() -> None:
    long = Ran("monitoring", functions={("t", "a.py"): ("f" * 2000, "g")}, modules=(RanModule("t", "../b.py", "b"),))
    found = Ran.read(long.written())
    assert (found.functions, found.modules) == ({("t", "a.py"): ("g",)}, ())
    assert found.lacks == ("functions", "modules")


def test_a_document_that_would_be_too_large_has_no_functions_and_says_so() -> None:
    names = tuple("f" * 900 + str(number) for number in range(2000))
    data = Ran("monitoring", functions={("t", "a.py"): names}, files=RAN.files).written()
    found = Ran.read(data)
    assert len(data) <= LARGEST_RAN
    assert (found.functions, found.files, found.lacks) == ({}, RAN.files, ("functions",))


@pytest.mark.parametrize(
    ("ran", "sees_all"),
    [
        (Ran("monitoring"), True),
        (Ran("imports"), False),
        (Ran("monitoring", processes=("fork",)), False),
        (Ran("monitoring", compilers=("numba",)), False),
        (Ran("monitoring", lacks=("functions",)), False),
        (Ran("monitoring", lacks=("modules",)), False),
        (Ran("monitoring", lacks=("files",)), True),
    ],
)
def test_all_functions_were_seen_only_if_nothing_ran_unseen(ran: Ran, sees_all: bool) -> None:
    assert ran.sees_all is sees_all
