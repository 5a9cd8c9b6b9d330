"""What the filter box is answered, from jobs that a workspace really has."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from helpers.page import PageClient, page_of
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import AWAY
from helpers.waiting import wait_until

from xpm_core.states import State

pytestmark = pytest.mark.redis


def completed(page: PageClient, text: str) -> list[tuple[str, str]]:
    """The words that can come next, and what they are."""
    answer = json.loads(page.get(f"/complete?text={quote(text)}"))
    return [(word["word"], word["about"]) for word in answer["words"]]


def test_names_and_values_are_those_of_the_jobs(lab: Lab, page: PageClient) -> None:
    for name, rate in (("a", 0.5), ("b", 0.25), ("c", 0.5)):
        lab.end(name, params={"optim.lr": rate}, tags={"model": "bm 25"}, results={"accuracy": 0.9})
    lab.end("d", State.FAILED, ERROR, tags={})
    wait_until(lambda: completed(page, "state=done and acc") == [("accuracy", "result")])
    assert completed(page, "l") == [("lr", "parameter")]
    assert completed(page, "lr>") == [("0.25", "1 job"), ("0.5", "2 jobs")]
    assert completed(page, "model=") == [("'bm 25'", "3 jobs")]
    assert completed(page, "error=") == [("ValueError", "1 job")]
    assert completed(page, "experiment=") == [("sweep", "")]
    assert completed(page, "nothing=") == []
    assert completed(page, "lr=[1, ") == []


def test_a_value_that_comes_is_proposed(lab: Lab, page: PageClient) -> None:
    lab.submit("a", tags={"x": "one"})
    wait_until(lambda: completed(page, "tag.x=") == [("one", "1 job")])
    lab.submit("b", tags={"x": "two"})
    wait_until(lambda: completed(page, "tag.x=") == [("one", "1 job"), ("two", "1 job")])


def test_without_a_server_the_files_answer(lab: Lab) -> None:
    lab.end("a", tags={"x": "one"})
    with page_of(lab.workspace.path, AWAY) as page:
        assert completed(page, "tag.x=") == [("one", "1 job")]
