"""Every example in docs/reference/look.md runs, and the table names the attributes of a row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.documents import play
from helpers.project_files import ROOT

from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.past.tasks import PastTask

DOCUMENT = ROOT / "docs" / "reference" / "look.md"


@pytest.mark.redis
def test_examples_run_in_order_and_print_what_stands_there(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XPM_REDIS_URL", redis_url)
    play(DOCUMENT, tmp_path, {"XPM_REDIS_URL": redis_url})


def test_the_table_names_every_attribute_of_a_task() -> None:
    table = DOCUMENT.read_text().partition("| attribute of a task |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    shown = {name for name in dir(PastTask) if not name.startswith("_")} | set(PastTask.__annotations__)
    assert named == {*shown, "identity", "task", "jobpath"}


def test_the_table_names_every_attribute_of_a_row() -> None:
    table = DOCUMENT.read_text().partition("| attribute of a row |")[2].partition("\n\n")[0]
    named = {
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")
    }
    shown = {name for name in dir(JobRow) if not name.startswith("_")} - {"entry", "titled"}
    assert named == shown
