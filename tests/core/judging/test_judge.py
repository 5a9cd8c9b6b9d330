"""What becomes of the code of a done job, by its directory alone. Whole runs are in tests/whole/code."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

import pytest
from helpers.done_job import FILES, RAN, TASK, DoneJob

from xpm_core.fingerprints.ran import OpenedFile, Ran
from xpm_core.judging.acceptance import Acceptance, add
from xpm_core.judging.judge import Judge
from xpm_core.judging.judgement import is_as_today
from xpm_core.judging.then import Then, provenances, then_of
from xpm_core.project.import_path import import_path
from xpm_core.snapshot.code_store import CodeStore

HELPER = dedent(FILES["changed_helper.py"])


class Lab(DoneJob):
    """A project, its workspace, and one done job."""

    def then(self) -> Then | str:
        """What the directory says."""
        return then_of(self.directory, TASK, provenances(CodeStore(self.workspace)))

    def judge(self, **files: str) -> Judge:
        """A judge with today's code, which is that of the job with some modules in place of its own."""
        return Judge(self.workspace, **self.submitted(**files), path=import_path())


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    found = Lab(tmp_path)
    with found.importable():
        yield found


def test_a_job_is_changed_by_its_directory(lab: Lab) -> None:
    lab.run()
    then = lab.then()
    assert isinstance(then, Then)
    assert then.classes == (("p", "changed_task.py", "Changed"),)
    assert ("p", "") in then.folders
    for text, answer, places in (
        (HELPER, "same", []),
        ("# a comment\n" + HELPER, "same", []),
        (HELPER.replace("return n", "return n + 1"), "ran", ["changed_helper.py used"]),
    ):
        found = lab.judge(changed_helper=text).of(lab.directory, TASK)
        assert (found.answer, found.places, found.snapshot) == (answer, places, then.snapshot)


def test_what_a_job_never_ran_is_told_apart(lab: Lab) -> None:
    lab.run()
    found = lab.judge(changed_helper=HELPER.replace("-n", "+n")).of(lab.directory, TASK)
    assert (found.answer, found.places) == ("reached", ["changed_helper.py unused"])


def test_without_a_record_of_what_ran_all_that_it_could_reach_counts(lab: Lab) -> None:
    lab.run(None)
    found = lab.judge(changed_helper=HELPER.replace("-n", "+n")).of(lab.directory, TASK)
    assert found.answer == "ran"


def test_a_file_that_it_has_read_counts_as_code(lab: Lab) -> None:
    lab.run(Ran(**{**vars(RAN), "files": [OpenedFile("p", "rates.csv", "digest", "0" * 64)]}))
    (lab.root / "rates.csv").write_text("2")
    found = lab.judge().of(lab.directory, TASK)
    assert (found.answer, found.places) == ("ran", ["rates.csv"])
    lost = Ran(**{**vars(RAN), "lacks": ["files"]})
    assert lost.sees_all


def test_a_job_is_as_today_by_its_snapshot_and_its_packages(lab: Lab) -> None:
    lab.run()
    then = lab.then()
    assert isinstance(then, Then)
    today = lab.submitted()["snapshot"], then.packages.document
    edited = lab.submitted(changed_helper=HELPER + "x = 1\n")["snapshot"], then.packages.document
    assert is_as_today(then.snapshot[:12], then.packages.document[:12], today=today)
    assert not is_as_today(then.snapshot[:12], "", today=edited)
    assert not is_as_today(then.snapshot[:12], "0" * 12, today=today), "the packages differ"
    assert not is_as_today("", "", today=today)


def test_the_marker_counts_if_the_index_names_an_execution_that_has_no_record(lab: Lab) -> None:
    lab.run()
    found = lab.judge().of(lab.directory, TASK, "e7")
    assert found.answer == "same"
    assert lab.judge().of(lab.directory, TASK, "e1") == found


def test_what_is_not_known_is_said(lab: Lab) -> None:
    assert lab.then() == "there is no record of how it ran"
    lab.run()
    [record] = lab.directory.records()
    lab.directory.write_record(1, "e1", {**record, "code": {"snapshot": "", "provenance": ""}})
    found = lab.judge().of(lab.directory, TASK)
    assert (found.answer, found.why) == ("unknown", ("it ran with live code, which is not kept",))
    lab.directory.write_record(1, "e1", {**record, "ran": "0" * 64})
    assert lab.judge().of(lab.directory, TASK).answer == "unknown"
    (lab.directory.path / ".xpm" / "handed.json").unlink()
    [why] = lab.judge().of(lab.directory, TASK).why
    assert "does not say what it ran" in why


UNUSED = HELPER.replace("-n", "+n")
OTHER = Ran(**{**vars(RAN), "functions": {("p", "changed_helper.py"): ("unused",)}})


@pytest.mark.parametrize(
    ("attempts", "resumable", "missing", "answer"),
    [
        ((OTHER, RAN), True, 0, "ran"),  # the last one found what the first had made
        ((RAN, RAN), True, 0, "reached"),
        ((None, RAN), True, 0, "ran"),  # it was killed, so it may have run anything
        ((RAN,), True, 1, "ran"),  # its worker was killed, too
        ((OTHER, RAN), False, 0, "reached"),  # the last one began anew
        ((None, RAN), False, 0, "reached"),
    ],
)
def test_earlier_attempts_count_if_a_job_continues_them(
    lab: Lab, attempts: tuple[Ran | None, ...], resumable: bool, missing: int, answer: str
) -> None:
    lab.run(*attempts, resumable=resumable, missing=missing)
    found = lab.judge(changed_helper=UNUSED).of(lab.directory, TASK)
    assert (found.answer, found.places) == (answer, ["changed_helper.py unused"])


def test_an_earlier_attempt_with_live_code_is_said(lab: Lab) -> None:
    lab.run(RAN, RAN, resumable=True)
    lab.directory.write_record(1, "e1", {"code": {"snapshot": "", "provenance": ""}})
    [why] = lab.judge().of(lab.directory, TASK).why
    assert "an earlier attempt, which it continues, ran with live code" in why


def test_data_that_a_job_may_have_read_unseen_is_never_the_same(lab: Lab) -> None:
    lab.files["rates.csv"] = "1"
    lab.run(None)
    assert lab.judge(changed_helper="# a comment\n" + HELPER).of(lab.directory, TASK).answer == "same"
    lab.files["rates.csv"] = "2"
    found = lab.judge().of(lab.directory, TASK)
    assert (found.answer, found.why) == ("unknown", ("the file rates.csv, which it may have read unseen",))


# -- what was accepted -------------------------------------------------------------------------------------------------


def accept(lab: Lab, **files: str) -> Acceptance:
    """Accept the job with some code, and with the files beside it as they are now."""
    code = lab.submitted(**files)
    judge = Judge(lab.workspace, *code.values(), import_path())
    found = Acceptance("e1", *code.values(), "why", "ana", "head", 1.0, judge.files_now(lab.directory, TASK))
    since = judge.since(lab.directory, TASK, found)
    assert since is not None
    assert since.answer == "same"
    add(lab.directory, found)
    return found


def answer(lab: Lab, **files: str) -> tuple[str, list[str]]:
    found = lab.judge(**files).of(lab.directory, TASK)
    return found.answer, found.places


LATER, THIRD = HELPER.replace("return n", "return n + 1"), HELPER.replace("return n", "return n + 2")


def test_accepted_code_counts_as_the_jobs_own_beside_that(lab: Lab) -> None:
    lab.run()
    accepted = accept(lab, changed_helper=LATER)
    assert answer(lab, changed_helper=LATER)[0] == "same"
    assert answer(lab, changed_helper="# a comment\n" + LATER)[0] == "same"
    assert answer(lab)[0] == "same"
    found = lab.judge(changed_helper=THIRD).of(lab.directory, TASK)
    assert (found.answer, found.snapshot) == ("ran", accepted.snapshot)
    accept(lab, changed_helper=THIRD)
    assert answer(lab, changed_helper=LATER)[0] == answer(lab, changed_helper=THIRD)[0] == "same"


def test_accepted_code_that_is_gone_is_not_believed(lab: Lab) -> None:
    lab.run()
    accepted = accept(lab, changed_helper=LATER)
    for kind in ("snapshots", "provenance"):
        path = Path(CodeStore(lab.workspace).document_path(kind, accepted.code[kind.rstrip("s")]))
        data = path.read_bytes()
        path.unlink()
        found = lab.judge(changed_helper="# a comment\n" + LATER).of(lab.directory, TASK)
        assert (found.answer, found.places) == ("ran", ["changed_helper.py used"])
        path.write_bytes(data)


def test_files_are_accepted_as_they_are_and_no_further(lab: Lab) -> None:
    names = ("rates.csv", "gone.csv", "come.csv", "changing.csv")
    digest = sha256(b"1").hexdigest()
    states = [("digest", digest), ("digest", digest), ("absent",), ("unknown",)]
    files = [OpenedFile("p", name, *state, live=True) for name, state in zip(names, states, strict=True)]  # type: ignore[arg-type]
    lab.run(Ran(**{**vars(RAN), "files": files}))
    for name in ("rates.csv", "come.csv", "changing.csv"):
        (lab.root / name).write_text("2")
    assert answer(lab) == ("ran", ["come.csv", "gone.csv", "rates.csv"])
    accepted = accept(lab)
    assert {each.path: each.state for each in accepted.files} == {
        "rates.csv": "digest", "gone.csv": "absent", "come.csv": "digest", "changing.csv": "digest",
    }  # fmt: skip
    assert answer(lab)[0] == "same"
    for name in names:
        (lab.root / name).write_text("3")
        assert answer(lab) == ("ran", [name])
        (lab.root / name).write_text("2") if name != "gone.csv" else (lab.root / name).unlink()
    assert answer(lab)[0] == "same"


def test_files_that_are_not_noted_are_accepted_as_long_as_no_file_changes(lab: Lab) -> None:
    lab.run(Ran(**{**vars(RAN), "lacks": ("files",)}))
    assert answer(lab)[0] == "unknown"
    accept(lab, changed_helper=LATER)
    assert answer(lab, changed_helper=LATER)[0] == "same"
    assert answer(lab, changed_helper="# a comment\n" + LATER)[0] == "unknown"


def test_a_job_of_live_code_has_the_accepted_code(lab: Lab) -> None:
    lab.run(None)
    [record] = lab.directory.records()
    lab.directory.write_record(1, "e1", {**record, "code": {"snapshot": "", "provenance": ""}})
    assert answer(lab)[0] == "unknown"
    accept(lab)
    assert answer(lab)[0] == "same"
    assert answer(lab, changed_helper=LATER) == ("ran", ["changed_helper.py used"])
