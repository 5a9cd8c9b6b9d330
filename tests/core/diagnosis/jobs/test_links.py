"""Links: those that lead nowhere go, those that are missing are made, and what is no link is left alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.simulated_jobs import Lab

from xpm_core.diagnosis.findings import Level
from xpm_core.diagnosis.jobs import links
from xpm_core.diagnosis.patient import Patient
from xpm_core.reading.look import View

if TYPE_CHECKING:
    from conftest import Doctor

pytestmark = pytest.mark.redis

SUBJECT = "links"


def folder(lab: Lab) -> Path:
    return lab.workspace.path / "experiments" / "sweep" / "jobs" / "train"


def test_missing_link_is_made_with_the_tags(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    lab.submit("b")
    before = {path.name: os.readlink(path) for path in folder(lab).iterdir()}
    for path in folder(lab).iterdir():
        path.unlink()
    found = doctor().about(SUBJECT)
    assert (found["level"], found["text"]) == ("warning", "2 jobs without a link in sweep")
    assert found["remedy"] == "xpm doctor --repair"
    assert doctor("--repair").levels(SUBJECT) == ["mended", "ok"]
    assert {path.name: os.readlink(path) for path in folder(lab).iterdir()} == before


def test_damaged_link_is_made_anew(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    lab.end("b")
    first, second = sorted(folder(lab).iterdir())
    right = os.readlink(first)
    first.unlink()
    first.symlink_to("/somewhere/else")
    other = os.readlink(second)
    second.unlink()
    second.symlink_to(right)  # to another job than its name says
    found = doctor()
    assert [each["text"][:8] for each in found.faults] == ["2 links ", "2 jobs w"]
    assert doctor("--repair").levels(SUBJECT) == ["mended", "mended", "ok"]
    assert [os.readlink(path) for path in sorted(folder(lab).iterdir())] == [right, other]


def test_link_to_a_job_that_nobody_knows_is_removed(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    lab.submit("waits")  # it has no directory yet, but the server knows it
    dead = folder(lab) / f"x-{'ab' * 4}"[:9]
    dead.symlink_to(f"../../../../jobs/sweep.train/{'ab' * 32}")
    assert "to jobs that nobody knows: sweep/x-" in doctor().about(SUBJECT)["text"]
    assert doctor("--repair").levels(SUBJECT) == ["mended", "ok"]
    assert len(list(folder(lab).iterdir())) == 2


def test_link_to_a_job_that_was_submitted_meanwhile_is_not_removed(lab: Lab, redis_url: str) -> None:
    with View(lab.workspace, redis_url) as view:
        patient = Patient(view)
        assert not patient.jobs
        lab.submit("a")
        for file in lab.workspace.path.glob("experiments/*/index/*.jsonl"):
            file.unlink()  # the script writes it a moment later
        [found] = links.check(patient)
    assert found.level is Level.OK


def test_files_and_links_of_users_are_left_alone(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    (folder(lab) / "notes.txt").write_text("mine")
    (folder(lab) / "best").symlink_to(f"../../../../{lab.directory('a').relative}")
    (folder(lab) / "data").symlink_to("/data")
    found = doctor("--repair").about(SUBJECT)
    assert (found["level"], found["repairable"]) == ("warning", False)
    assert found["text"] == "3 files there that no script has made: sweep/best, sweep/data, sweep/notes.txt"
    assert (folder(lab) / "best").is_symlink()
    assert (folder(lab) / "notes.txt").read_text() == "mine"


def test_files_and_links_beside_the_folders_of_tasks_are_named(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    (folder(lab).parent / "notes.txt").write_text("mine")
    (folder(lab).parent / "lost").symlink_to("/nowhere")
    (folder(lab).parent / "other").symlink_to(folder(lab))
    found = doctor("--repair").about(SUBJECT)
    assert (found["level"], found["repairable"]) == ("warning", False)
    assert found["text"] == "3 files there that no script has made: sweep/lost, sweep/notes.txt, sweep/other"
    assert (folder(lab).parent / "lost").is_symlink()


def test_without_the_server_no_link_counts_as_missing_or_dead(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    for path in folder(lab).iterdir():
        path.unlink()
    assert doctor("--repair", away=True).levels(SUBJECT) == ["unknown"]
