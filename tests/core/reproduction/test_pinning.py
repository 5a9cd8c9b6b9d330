"""What is not pinned: each note comes if, and only if, something is another thing here than it was then."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xpm_core.reproduction.pinning import Here, Note, Then, notes
from xpm_core.reproduction.requirements import Packages
from xpm_core.snapshot.manifest import LargeFile, Link, Manifest
from xpm_core.snapshot.provenance import Provenance, Tree

PYTHON = platform.python_version()
RECORD = {"python": PYTHON, "seeds": {"seed": 1}, "machine": {"cpu": "EPYC", "gpus": ["A100"], "driver": "nvidia 535"}}
HERE = Here(Packages(PYTHON, {"numpy": "2.1"}), RECORD["machine"], {"OMP_NUM_THREADS": "4"})  # type: ignore[arg-type]


def then(**changed: Any) -> Then:
    """An execution of which all is pinned, except for what is changed."""
    provenance = Provenance("", [Tree("lab", ["/lab"])], variables={"OMP_NUM_THREADS": "4"})
    pinned = Then(RECORD, provenance, Manifest(["lab"], []), HERE.packages)
    return replace(pinned, **changed)


def test_nothing_is_said_if_all_is_the_same() -> None:
    assert notes(then(), HERE) == []


@pytest.mark.parametrize(
    ("changed", "what", "text"),
    [
        ({"live": True}, "code", "today's files run. Which files ran then is not compared."),
        ({"record": {**RECORD, "python": "3.1.4"}}, "python", f"Python 3.1.4 then, {PYTHON} here"),
        ({"packages": None}, "package", "which packages were installed is not recorded"),
        ({"packages": Packages(PYTHON, {"numpy": "1.26"})}, "package", "numpy 1.26 then, 2.1 here"),
        ({"record": {**RECORD, "machine": {**HERE.machine, "gpus": ["H100", "H100"]}}}, "machine",
         "GPUs: H100, H100 then, A100 here"),
        ({"record": {**RECORD, "machine": {"cpu": "EPYC", "gpus": ["A100"]}}}, "machine",
         "driver of the GPUs: none then, nvidia 535 here"),
        ({"record": {"python": PYTHON}}, "seed",
         "no seed is declared. A result that depends on random numbers can differ"),
    ],
)  # fmt: skip
def test_what_is_another_thing_is_said(changed: dict[str, Any], what: str, text: str) -> None:
    assert notes(then(**changed), HERE) == [Note(what, text)]


def test_variables_that_decide_how_numbers_are_computed_are_said() -> None:
    variables = {"OMP_NUM_THREADS": "8", "PYTHONHASHSEED": "0", "XPM_QUEUE": "gpu", "SLURM_JOB_ID": "7", "A": "***"}
    found = notes(then(provenance=Provenance("", [], variables=variables)), HERE)
    assert [note.text for note in found] == [
        "OMP_NUM_THREADS was '8' where it was submitted, '4' here",
        "PYTHONHASHSEED was '0' where it was submitted, not set here",
    ]


def test_files_that_were_not_kept_and_links_are_said(tmp_path: Path) -> None:
    same, grown, later = (tmp_path / name for name in ("same", "grown", "later"))
    for file in (same, grown, later):
        file.write_text("1234")
    status = same.stat()
    large = [
        LargeFile(0, file.name, str(file), size, mtime_ns)
        for file, size, mtime_ns in (
            (same, 4, status.st_mtime_ns),
            (grown, 3_000_000, 0),
            (later, 4, 1),
            (tmp_path / "gone", 4, 1),
        )
    ]
    links = [Link(0, "data", str(tmp_path)), Link(0, "lost", "/nowhere/at/all")]
    found = notes(then(manifest=Manifest(["lab"], [*large, *links])), HERE)
    assert [note.text for note in found] == [
        f"data leads out of the project, to {tmp_path}. Nothing there is kept",
        f"gone was not kept: it is gone, or cannot be read ({tmp_path}/gone)",
        f"grown was not kept: it had 3.0 MB, and has 4 B ({grown})",
        f"later was not kept: it was written again since ({later})",
        "lost leads out of the project, to /nowhere/at/all, which is gone. Nothing there is kept",
    ]


def test_editable_package_of_the_snapshot_may_differ_here() -> None:
    source = {"folder": "/lab/lib", "editable": True, "digest": "a"}
    packages = Packages(PYTHON, {"numpy": "2.1", "lib": "1"}, {"lib": source})
    assert notes(then(packages=packages), HERE) == []
    [note] = notes(then(packages=packages, manifest=None), HERE)[:1]
    assert note == Note("package", "lib 1 then, not installed here")
