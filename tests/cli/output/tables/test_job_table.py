"""The table of jobs in terminals of all widths, and in a pipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab

from xpm_core.labels import short
from xpm_core.states import Event

if TYPE_CHECKING:
    from conftest import Scene

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


@pytest.mark.parametrize("width", range(24, 130, 7))
def test_table_fits_and_cuts_no_state_and_no_identity(scene: Scene, seen: Xpm, width: int) -> None:
    lines = seen("jobs", env={"COLUMNS": str(width)}).stdout.splitlines()
    assert max(map(len, lines)) <= width
    rows = [line.split()[:2] for line in lines[1:9]]
    assert sorted(rows) == sorted([short(identity), state.value] for state, identity in scene.ids.items())


def test_reasons_are_cut_first_and_then_parameters_go_and_it_is_said(seen: Xpm) -> None:
    heads = {}
    for width in (130, 77, 60):
        head, *lines = seen("jobs", env={"COLUMNS": str(width)}).stdout.splitlines()
        heads[width] = head.split(), next((line for line in lines if line.startswith("too narrow")), "")
        assert any(line.startswith("the same in all: optim=Adam") for line in lines)
    assert heads[130][0] == ["ID", "STATE", "TASK", "name", "lr", "TIME", "WHERE", "WHY", "/", "PROGRESS"]
    assert heads[77] == (["ID", "STATE", "TASK", "name", "TIME", "WHERE", "WHY", "/", "PROGRESS"],
                         "too narrow for: lr")  # fmt: skip
    assert heads[60] == (["ID", "STATE", "TASK", "TIME", "WHERE"],
                         "too narrow for: name, lr, why / progress")  # fmt: skip


def test_nothing_is_cut_in_a_pipe(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a", tags={"text": "x" * 300, "lr": 1})
    lab.submit("b", tags={"text": "y" * 300, "lr": 2})
    assert "x" * 300 in xpm("jobs").stdout
    cut = xpm("jobs", env={"COLUMNS": "120"}).stdout
    assert "x" * 23 + "…" in cut
    assert "x" * 24 not in cut


def test_many_common_values_are_counted_on_a_terminal(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a", params={f"p{number}": number for number in range(30)})
    assert "p29=29" in xpm("jobs").stdout
    footer = xpm("jobs", env={"COLUMNS": "100"}).stdout
    assert "p29=29" not in footer
    assert "and 19 more (-o wide)" in " ".join(footer.split())


def test_job_that_runs_shows_its_progress(lab: Lab, xpm: Xpm) -> None:
    lease = lab.start("a")
    lab.store.tell(lease, Event.PROGRESS, {"fraction": 0.75, "desc": "epoch 6/8"})
    assert "███████▌··  epoch 6/8" in xpm("jobs").stdout
    assert "progress    ███████▌··  epoch 6/8" in xpm("show", "last").stdout


def test_values_that_move_the_cursor_are_shown_as_text(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a", tags={"name": "\x1b[2Jx\ny"})
    for words in (["jobs"], ["show", "last"], ["why"], ["status"]):
        assert "\x1b" not in xpm(*words, env={"COLUMNS": "80"}).stdout
