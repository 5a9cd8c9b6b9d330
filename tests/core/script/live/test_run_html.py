"""A run as HTML: the facts of the terminal's lines, and nothing of a job becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from helpers.tracked_jobs import everything, job

from xpm_core.script.live.run_html import counted, experiment_html, run_html, run_text
from xpm_core.script.live.run_view import Answer, RunView
from xpm_core.script.show.report import Summary
from xpm_core.states import State
from xpm_core.words.commands import Commands
from xpm_core.words.reasons_of_workers import Suspended

NASTY = "<img src=x onerror=alert(1)>"


def shown(page: str) -> str:
    """The text of a page, in one line; fails if anything has become an element that we never make."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            assert tag in {"div", "span", "table", "tr", "td", "code"}
            assert {name for name, _ in attributes} <= {"style"}

        def handle_data(self, data: str) -> None:
            found.append(data)

    reader = Reader()
    reader.feed(page)
    reader.close()
    return " ".join(" ".join(found).split())


def test_all_kinds_of_facts_are_there() -> None:
    ready = job(State.READY)
    jobs = [
        ready,
        job(State.DONE, name="Prepare"),
        job(State.RUNNING, progress={"fraction": 0.5, "desc": "epoch 1/2"}),
        job(State.FAILED),
    ]
    view = RunView("digits", jobs, 120, answer=Answer(ready.identity, Suspended()))
    text = shown(run_html(view, Commands(place=" -w here"), "a note"))
    assert text.startswith("digits 1/4 1 ready 1 running 1 done 1 failed elapsed 2 min")
    assert "Train 1/3 ✗ 1 failed 1 running" in text
    assert "Prepare 1/1" in text
    assert "● Train gpu-a:0 3 s epoch 1/2" in text
    assert f"⧗ 1 ready all workers of the server are suspended xpm why {ready.identity[:7]} -w here" in text
    assert "OutOfMemoryError train.py:88 3 s ago xpm show" in text
    assert text.endswith("a note")


def test_nothing_of_a_job_becomes_markup() -> None:
    error = {"type": NASTY, "file": f"/x/{NASTY}.py", "line": 1}
    progress = {"fraction": 0.5, "desc": NASTY}
    more = {"tags": {NASTY: NASTY}, "worker": NASTY, "error": error, "progress": progress}
    jobs = [job(state, name=name, **more) for state in State for name in (NASTY, "Other")]
    text = shown(run_html(RunView(NASTY, jobs, 1), Commands(place=NASTY), NASTY))
    assert text.count(NASTY) > 9
    assert NASTY in shown(experiment_html(NASTY, NASTY, True, jobs))


def test_many_jobs_stay_one_page() -> None:
    jobs = [each for number in range(30) for each in everything(name=f"Task{number}")]
    page = run_html(RunView("x", jobs, 1), Commands())
    assert len(page) < 30_000
    assert "and 591 more running" in shown(page)
    assert "and 1191 more failed or cancelled" in shown(page)
    assert "and 11 more tasks" in shown(page)


def test_program_without_html_gets_a_line() -> None:
    assert run_text(RunView("x", [job(State.DONE), job(State.READY)], 1)) == "x  1/2  1 ready, 1 done"
    assert counted({State.DONE: 2, State.FAILED: 0}) == "2 done"


@pytest.mark.parametrize(("is_open", "word"), [(True, "open"), (False, "not open")])
def test_experiment_says_how_its_jobs_stand(is_open: bool, word: str) -> None:
    text = shown(experiment_html("digits", "/data/w", is_open, [job(State.DONE), job(State.FAILED)]))
    assert text == f"digits workspace /data/w experiment {word} jobs 1 done 1 failed"
    assert shown(experiment_html("digits", "w", is_open, [])).endswith("jobs none submitted")


def test_summary_has_html() -> None:
    assert shown(Summary(done=3, reused=1, failed=2, unfinished=1)._repr_html_()) == (
        "3 done (1 reused) 2 failed 1 unfinished"
    )
