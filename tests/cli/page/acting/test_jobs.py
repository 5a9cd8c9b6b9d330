"""Cancel and retry by the page: the number comes first, and the answer names what was not done."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from helpers.page import FormClient, form_client_of
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import AWAY
from helpers.waiting import wait_until
from redis.exceptions import ConnectionError as RedisConnectionError

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.page.acting import deeds, jobs, plans
from xpm_cli.page.links import Links
from xpm_core.reading.look import View
from xpm_core.states import State
from xpm_core.store.jobs import Store
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


@pytest.fixture
def page(workspace: Workspace, redis_url: str, lab: Lab) -> Iterator[FormClient]:
    with form_client_of(workspace.path, redis_url, acts=True) as client:
        yield client


def fields(asked: Any) -> dict[str, str]:
    """What the form of a question sends."""
    return dict(re.findall(r'name="(plan|digest)" value="([^"]+)"', asked.text))


def action(asked: Any) -> str:
    """Where that form is sent."""
    found = re.search(r'<form method="post" action="([^"]+)"', asked.text)
    assert found is not None
    return html.unescape(found[1])


def heading(found: Any) -> str:
    said = re.search(r"<h1>(.*?)</h1>", found.text, re.DOTALL)
    assert said is not None
    return said[1]


def state(lab: Lab, name: str) -> State:
    (job,) = lab_jobs(lab, name)
    return job.state


def lab_jobs(lab: Lab, *names: str) -> list[Any]:
    from xpm_core.reading.reader import Reader

    return list(Reader(lab.client, lab.workspace.id).jobs.read(lab.identity(name) for name in names))


def test_the_number_is_shown_first_and_nothing_is_done_before_it(page: FormClient, lab: Lab) -> None:
    lab.start("runs")
    lab.submit("waits", "runs")
    asked = page.get("/acting/cancel", params={"filter": "task=Train"})
    assert heading(asked) == "Cancel them?"
    assert "This would cancel 2 jobs. One of them runs, and loses what is done so far:" in asked.text
    assert "Cancel 2 jobs" in asked.text
    assert asked.text.index("name=runs") < asked.text.index("name=waits")
    assert [state(lab, name) for name in ("runs", "waits")] == [State.RUNNING, State.WAITING]


def test_the_answer_says_what_was_done(page: FormClient, lab: Lab) -> None:
    lab.start("runs")
    for number in range(3):
        lab.submit(f"waits{number}", "runs")
    asked = page.get("/acting/cancel", params={"filter": "state=waiting"})
    answer = page.send("/acting/cancel", **fields(asked))
    assert heading(answer) == "3 jobs were cancelled."
    assert "Cancelled: 3 jobs" in answer.text
    assert "/acting/answer/" in str(answer.url)
    assert {state(lab, f"waits{number}") for number in range(3)} == {State.CANCELLED}
    assert state(lab, "runs") is State.RUNNING


def test_a_job_that_runs_is_stopped_if_that_was_shown(page: FormClient, lab: Lab) -> None:
    lab.start("runs")
    answer = page.send("/acting/cancel", **fields(page.get("/acting/cancel", params={"ids": lab.identity("runs")})))
    assert heading(answer) == "1 job was cancelled."
    assert "worker node1-1 was told to stop it" in answer.text


def test_jobs_that_moved_meanwhile_are_named_with_the_reason(page: FormClient, lab: Lab) -> None:
    for name in ("starts", "ends", "stays"):
        lab.submit(name)
    asked = page.get("/acting/cancel", params={"filter": "state=ready"})
    assert "This would cancel 3 jobs" in asked.text
    lab.claim(lab.identity("starts"))
    Store(lab.client, lab.workspace.id).cancel(lab.identity("ends"))
    lab.submit("came later")
    wait_until(lambda: page.get("/api/jobs").json()["total"] == 4)
    answer = page.send("/acting/cancel", **fields(asked))
    assert heading(answer) == "1 of 3 jobs was cancelled. 2 were not."
    assert "They began to run after they were shown, so they were left as they are: 1 job" in answer.text
    assert "They had ended already: 1 job" in answer.text
    assert "1 job matches by now that you were not shown. Nothing was done to it." in answer.text
    assert [state(lab, name) for name in ("starts", "stays", "came later")] == [
        State.RUNNING, State.CANCELLED, State.READY,
    ]  # fmt: skip


def test_a_form_that_is_sent_twice_acts_once(page: FormClient, lab: Lab) -> None:
    lab.end("failed", State.FAILED, ERROR)
    form = fields(page.get("/acting/retry", params={"filter": "state=failed"}))
    first = page.send("/acting/retry", **form)
    assert heading(first) == "1 job was retried."
    lab.finish("failed", lab.claim(lab.identity("failed")), State.FAILED, ERROR)
    assert page.send("/acting/retry", **form).url == first.url
    assert state(lab, "failed") is State.FAILED


def test_a_form_that_is_sent_twice_at_once_has_one_answer(page: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.end("failed", State.FAILED, ERROR)
    form = fields(page.get("/acting/retry", params={"filter": "state=failed"}))
    answers: list[Any] = []
    second = threading.Thread(target=lambda: answers.append(page.send("/acting/retry", **form)))

    def begun(*given: Any) -> Any:
        second.start()
        second.join(0.5)  # it has to wait: the plan is taken, and its answer is not there yet
        return deeds.begin(*given)

    monkeypatch.setattr(jobs, "begin", begun)
    answers.append(page.send("/acting/retry", **form))
    second.join(60)
    assert [(each.status_code, heading(each)) for each in answers] == [(200, "1 job was retried.")] * 2


def test_jobs_are_named_by_whole_identities_and_by_others_each_once(page: Any, lab: Lab) -> None:
    for name in ("a", "b"):
        lab.submit(name)
    names = [lab.identity("a"), lab.identity("b")[:12], lab.identity("a"), "name=b"]
    asked = page.get("/acting/cancel", params={"ids": ",".join(names)})
    assert "Cancel 2 jobs" in asked.text
    assert page.get("/acting/cancel", params={"ids": f"{names[0]},{'0' * 64}"}).status_code == 404


@pytest.mark.parametrize("change", [{"digest": "0" * 64}, {"plan": "moon"}, {"digest": ""}])
def test_a_form_of_another_question_does_nothing(page: FormClient, lab: Lab, change: dict[str, str]) -> None:
    lab.submit("waits")
    form = fields(page.get("/acting/cancel", params={"filter": "state=ready"}))
    found = page.send("/acting/cancel", **{**form, **change})
    assert found.status_code == 409
    assert "Look at it again" in found.text
    assert state(lab, "waits") is State.READY


def test_a_question_of_another_verb_does_nothing(page: FormClient, lab: Lab) -> None:
    lab.end("failed", State.FAILED, ERROR)
    form = fields(page.get("/acting/retry", params={"filter": "state=failed"}))
    assert page.send("/acting/cancel", **form).status_code == 409
    assert state(lab, "failed") is State.FAILED


@pytest.mark.parametrize(
    ("asked", "again"), [({"filter": "name=a"}, "name=a"), ({"ids": "a", "filter": "name=b"}, "1 job chosen.")]
)
def test_a_question_that_is_too_old_is_asked_again_about_the_same_jobs(
    page: FormClient, lab: Lab, monkeypatch: pytest.MonkeyPatch, asked: dict[str, str], again: str
) -> None:
    for name in ("a", "b"):
        lab.submit(name)
    question = page.get("/acting/cancel", params={**asked, **({"ids": lab.identity("a")} if "ids" in asked else {})})
    monkeypatch.setattr(plans, "LASTS_S", -1.0)
    found = page.send(action(question), **fields(question))
    assert found.status_code == 409
    assert again in found.text
    assert "Cancel 1 job<" in found.text
    assert "name=a, ready" in found.text


@pytest.mark.parametrize("chosen", [False, True])
def test_the_filter_goes_along_past_the_answer(page: FormClient, lab: Lab, chosen: bool) -> None:
    lab.submit("a")
    asked = {"filter": "name=a", **({"ids": lab.identity("a")} if chosen else {})}
    question = page.get("/acting/cancel", params=asked)
    answer = page.send(action(question), **fields(question))
    assert heading(answer) == "1 job was cancelled."
    assert f'href="{Links("name=a").workers()}"' in answer.text
    assert f'href="{Links().jobs("name=a")}">Back to the jobs' in answer.text
    assert f'href="{Links("name=a").job(lab.identity("a"))}"' in answer.text


def test_the_filter_goes_along_past_an_act_on_one_job(page: FormClient, lab: Lab) -> None:
    lab.submit("a")
    shown = page.get(Links("name=b").job(lab.identity("a")))
    answer = page.send(action(shown), job=lab.identity("a"))
    assert heading(answer) == "1 job was cancelled."
    assert f'href="{Links().jobs("name=b")}">Back to the jobs' in answer.text


def test_a_question_that_is_too_old_is_asked_again(page: FormClient, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.submit("waits")
    form = fields(page.get("/acting/cancel", params={"filter": ""}))
    monkeypatch.setattr(plans, "LASTS_S", -1.0)
    assert page.send("/acting/cancel", **form).status_code == 409
    assert state(lab, "waits") is State.READY


def test_one_job_of_which_nothing_is_lost_needs_no_question(page: FormClient, lab: Lab) -> None:
    lab.submit("waits")
    assert heading(page.send("/acting/cancel", job=lab.identity("waits"))) == "1 job was cancelled."
    assert heading(page.send("/acting/retry", job=lab.identity("waits"))) == "1 job was retried."
    assert state(lab, "waits") is State.READY


def test_one_job_that_runs_by_now_is_left(page: FormClient, lab: Lab) -> None:
    lab.start("runs")
    answer = page.send("/acting/cancel", job=lab.identity("runs"))
    assert heading(answer) == "The job was not cancelled."
    assert "Look again, and cancel it then" in answer.text
    assert state(lab, "runs") is State.RUNNING


def test_chosen_jobs_that_the_verb_does_nothing_for_are_left_out(page: FormClient, lab: Lab) -> None:
    lab.end("done")
    lab.submit("waits")
    both = {"job": [lab.identity("done"), lab.identity("waits")]}
    asked = page.get("/acting/cancel", params=both)
    assert "This would cancel 1 job:" in asked.text
    assert "1 job of the chosen is left out" in asked.text


def test_from_the_question_on_chosen_jobs_one_goes_back_to_those_that_match(page: FormClient, lab: Lab) -> None:
    for name in ("a", "b"):
        lab.submit(name)
    both = {"job": [lab.identity("a"), lab.identity("b")], "filter": "state=ready"}
    asked = page.get("/acting/cancel", params=both)
    assert 'href="/jobs?filter=state%3Dready">No</a>' in asked.text
    assert lab.identity("b") in action(asked)  # there, a filter without jobs would choose jobs
    assert 'href="/jobs?filter=state%3Dready">Back to the jobs</a>' in page.get("/acting/retry", params=both).text


def test_done_jobs_run_again_only_if_the_filter_asks_for_them(page: FormClient, lab: Lab) -> None:
    lab.end("done")
    assert heading(page.get("/acting/retry", params={"filter": "task=Train"})) == "Nothing to retry"
    asked = page.get("/acting/retry", params={"filter": "state=done"})
    assert "This job is done. What it has written is moved aside" in asked.text
    assert heading(page.send("/acting/retry", **fields(asked))) == "1 job was retried."


def test_without_a_filter_it_says_that_all_jobs_are_meant(page: FormClient, lab: Lab) -> None:
    lab.submit("waits")
    assert "No filter is set: this is about all jobs of the workspace." in page.get("/acting/cancel").text


def test_many_jobs_are_done_in_batches_while_the_page_answers(
    page: FormClient, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        lab.submit(f"waits{number}")
    monkeypatch.setattr(deeds.acts, "BATCH", 2)
    monkeypatch.setattr(jobs, "SOON_S", 0.0)
    gate, real = threading.Event(), deeds.acts.cancel

    def slow(*given: Any, **more: Any) -> Any:
        if lab.identity("waits4") in [row.identity for row in given[1]]:
            gate.wait(60)
        return real(*given, **more)

    monkeypatch.setattr(deeds.acts, "cancel", slow)
    asked = page.get("/acting/cancel", params={"filter": "state=ready", "sort": "id"})
    answer = page.send("/acting/cancel", **fields(asked))
    assert "taken up so far" in heading(answer)
    assert 'hx-trigger="every 1s"' in answer.text
    assert page.get("/jobs").status_code == 200
    gate.set()
    url = str(answer.url)
    wait_until(lambda: heading(page.get(url)) == "7 jobs were cancelled.", show=lambda: heading(page.get(url)))
    assert "hx-trigger" not in page.get(url).text


def test_a_server_that_goes_away_leaves_jobs_untried_and_names_them(
    page: FormClient, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    import redis

    for number in range(3):
        lab.submit(f"waits{number}")
    asked = page.get("/acting/cancel", params={"filter": "state=ready"})
    real: Callable[..., Any] = Store.cancel_each
    seen: list[str] = []

    def breaks(store: Store, jobs: Any) -> Any:
        found = list(jobs)
        seen.extend(identity for identity, _ in found)
        if len(seen) == 2:
            raise redis.ConnectionError("gone")
        return real(store, found)

    monkeypatch.setattr(deeds.acts, "BATCH", 1)
    monkeypatch.setattr(Store, "cancel_each", breaks)
    answer = page.send("/acting/cancel", **fields(asked))
    assert heading(answer) == "1 of 3 jobs was cancelled. 2 were not."
    assert "What came of them is not known: 1 job" in answer.text
    assert "They were not tried: 1 job" in answer.text
    assert len(seen) == 2


def test_a_page_that_only_shows_says_how_one_acts(workspace: Workspace, redis_url: str, lab: Lab) -> None:
    lab.submit("waits")
    with form_client_of(workspace.path, redis_url) as page:
        asked = page.get("/acting/cancel", params={"filter": "state=ready"})
        assert asked.status_code == 403
        assert "xpm ui --allow-actions" in asked.text
        assert "xpm cancel --where state=ready" in asked.text
        sent = page.send("/acting/cancel", job=lab.identity("waits"))
        assert sent.status_code == 403
    assert state(lab, "waits") is State.READY


def test_hostile_names_and_filters_stay_text(page: FormClient, lab: Lab) -> None:
    evil = '"><script>alert(1)</script>'
    lab.submit("waits", tags={"name": evil})
    asked = page.get("/acting/cancel")
    answer = page.send("/acting/cancel", **fields(asked))
    wrong = page.get("/acting/cancel", params={"filter": evil})
    for found in (asked, answer, wrong):
        assert "<script>alert" not in found.text
    assert wrong.status_code == 400


def test_an_unknown_answer_is_said_to_be_one(page: FormClient) -> None:
    assert page.get("/acting/answer/moon").status_code == 404


def test_jobs_that_were_not_tried_are_named_also_if_the_files_answer_by_then(
    page: FormClient, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity, opened = lab.submit("a"), page.desk.opened

    def gives_up(*_: object) -> None:
        page.desk.opened = OpenWorkspace(View(opened.workspace, AWAY), opened.commands)
        raise RedisConnectionError("gone")

    question = page.get("/acting/cancel", params={"ids": identity})
    monkeypatch.setattr(Store, "cancel_each", gives_up)
    answer = page.send(action(question), **fields(question))
    page.desk.opened = opened
    assert identity[:7] in answer.text
    assert "the server went away. Look at it again." in answer.text
