"""The closed list of reasons: its order, its words, and the document that shows it."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from helpers.project_files import ROOT

from xpm_core.words import reasons_in_line, reasons_of_jobs, reasons_of_workers
from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Code, Outlook, Reason
from xpm_core.words.reasons_in_line import AboutToStart, Holder, Place, Shortage, TokenHeld
from xpm_core.words.reasons_of_jobs import Dependency
from xpm_core.words.reasons_of_workers import Avoided, OfWorkers

ORDER = """
    blocked dependency cancelled too_large paused unserved refused silent suspended draining short_lived
    token_held token_kept busy in_line retry about_to_start running frozen done failed unknown
"""


def classes() -> list[type[Reason]]:
    """The classes of all reasons."""
    found = []
    for module in (reasons_of_jobs, reasons_of_workers, reasons_in_line):
        own = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Reason))
        found += [each for each in own if each.__module__ == module.__name__ and each is not OfWorkers]
    return found


def test_the_order_of_the_codes_is_the_order_of_the_reasons() -> None:
    assert [code.value for code in Code] == ORDER.split()
    assert [code.place for code in Code] == list(range(len(Code)))


def test_the_list_is_closed() -> None:
    """Each code has one class; a worker that is avoided is the other side of a refusal."""
    counts = Counter(each.code for each in classes() if each is not Avoided)
    assert counts == Counter(Code)


def test_the_document_shows_each_code_with_its_words() -> None:
    text = (ROOT / "docs" / "reference" / "why.md").read_text()
    table = text.partition("| code |")[2].partition("\n\n")[0].splitlines()[2:]
    assert table == [f"| `{code.value}` | {code.outlook.value} | {code.meaning} | {code.remedy} |" for code in Code]
    assert [each.value for each in Outlook if f"| *{each.value}* |" not in text] == []


@pytest.mark.parametrize("code", Code)
def test_each_code_says_in_whole_sentences_what_it_means_and_what_to_do(code: Code) -> None:
    assert code.meaning.endswith(".")
    assert code.remedy.endswith(".")
    assert code == code.value


def test_json_has_code_outlook_text_and_facts_nested() -> None:
    held = Shortage("gpu", 1, 0, 4, "", (Holder("a" * 64, 1, 12.3456),))
    place = Place(2, 6, ("b" * 64,))
    data = json.loads(json.dumps(Dependency(1, (("c" * 64, "ready"),), TokenHeld(("gpu",), (held,), place)).as_data()))
    assert (data["code"], data["outlook"], data["steps"]) == ("dependency", "not yet", [["c" * 64, "ready"]])
    why = data["why"]
    assert (why["code"], why["text"]) == ("token_held", "token gpu held by running jobs")
    holder = {"job": "a" * 64, "units": 1, "for_s": 12.346, "workspace": ""}
    assert why["shortages"][0]["holders"] == [holder]
    assert why["place"] == {"place": 2, "jobs": 6, "before": ["b" * 64]}


def test_what_passes_by_itself_is_waited_for() -> None:
    assert AboutToStart().what_to_do(Commands(), "a" * 64) == ["wait"]
    assert AboutToStart().outlook is Outlook.NOT_YET
