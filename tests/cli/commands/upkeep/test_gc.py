"""`xpm gc`: it shows what would go, asks, and removes only that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result
from helpers.cleanings import Cleaner
from helpers.private_server import PrivateServer
from helpers.simulated_jobs import ERROR, Lab
from helpers.stored_code import Code
from helpers.typed_commands import AWAY, PROGRAM, Shell
from helpers.user_scripts import TASKS, Desktop

from xpm_cli.commands.upkeep import gc
from xpm_core.cleaning.removing import removal
from xpm_core.labels import short
from xpm_core.states import State

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


@pytest.fixture
def cleaner(lab: Lab) -> Cleaner:
    """Two failed jobs, an orphan of a megabyte, and one that a run names."""
    lab.join()
    for name in ("bad", "worse"):
        lab.end(name, State.FAILED, ERROR)
    for name in ("good", "orphan"):
        lab.end(name)
    (lab.directory("orphan").path / "model.bin").write_bytes(os.urandom(1_000_000))
    cleaner = Cleaner(lab)
    cleaner.run("bad", "worse", "good")
    return cleaner


def test_without_an_option_it_says_how_much_each_kind_holds(cleaner: Cleaner, xpm: Xpm) -> None:
    result = xpm("gc")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["KIND", "HOLDS", "SIZE", "COMMAND"]
    assert [" ".join(line[-3:]) for line in lines[1:]] == [
        "by retries -", "xpm gc --failed", "xpm gc --orphans", "newest 5 -",
    ]  # fmt: skip
    assert lines[2][:3] == ["failed", "2", "jobs"]
    assert lines[3][:4] == ["orphans", "1", "job", "1.0"]
    assert result.stderr.startswith("Nothing was changed.")
    assert xpm("gc", "--older", "30d").stdout.count(" 0 jobs ") == 2
    assert cleaner.there("orphan")


def test_without_an_option_it_says_why_something_stays(cleaner: Cleaner, xpm: Xpm) -> None:
    cleaner.lab.submit("blocked", "bad")
    cleaner.run("worse", ended=False)
    stays = [" ".join(line.split()) for line in xpm("gc").stdout.splitlines() if line.startswith("stays")]
    assert stays == [
        "stays failed: 1 job, because a blocked job needs it: xpm cancel --state blocked",
        "stays failed: 1 job, because the script of a run that names it may still run",
    ]
    cleaner.run()
    text = " ".join(xpm("gc", "--failed", "--keep-runs", "1").stdout.split())
    assert "1 job, because a blocked job needs it: xpm cancel --state blocked" in text
    assert "1 run, because its script may still run, or not all of its jobs have ended" in text
    assert json.loads(xpm("gc", "--failed", "--json").stdout)["stays"] == {"needed": 1, "in_use": 1}


def test_it_shows_what_would_go_and_removes_nothing_without_a_terminal(cleaner: Cleaner, xpm: Xpm) -> None:
    result = xpm("gc", "--failed", "--orphans")
    assert result.exit_code == 0
    shown = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert shown[0].startswith("failed 2 jobs")
    assert f"1.0 MB {short(cleaner.lab.identity('orphan'))} Train name=orphan, done, just now" in shown
    assert shown[-1].startswith("in all 3 items 1.")
    assert result.stderr == "Nothing was removed. The same with --yes does it.\n"
    assert all(cleaner.there(name) for name in ("bad", "worse", "orphan", "good"))
    dry = xpm("gc", "--failed", "--orphans", "--dry-run")
    assert (dry.exit_code, dry.stdout) == (0, result.stdout)


def test_with_yes_it_removes_and_lists_do_not_show_it(cleaner: Cleaner, xpm: Xpm) -> None:
    result = xpm("gc", "--failed", "--orphans", "--yes")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.startswith("Removed 3 items, 1.")
    assert [cleaner.there(name) for name in ("bad", "worse", "orphan", "good")] == [False, False, False, True]
    assert xpm("jobs", "-o", "name").stdout.split() == [cleaner.lab.identity("good")]
    assert xpm("show", cleaner.lab.identity("bad")).exit_code == 2
    findings = xpm("doctor").stdout.splitlines()
    assert [line for line in findings[:-1] if not line.startswith("✓") and "AOF is off" not in line] == []
    assert xpm("gc", "--failed", "--orphans", "--yes").stdout == "nothing to remove\n"


def test_json_says_what_would_go_and_then_what_is_gone(cleaner: Cleaner, xpm: Xpm) -> None:
    would = json.loads(xpm("gc", "--orphans", "--json").stdout)
    assert (would["removed"], [item["job"] for item in would["items"]]) == (False, [cleaner.lab.identity("orphan")])
    assert would["size"] >= 1_000_000
    gone = json.loads(xpm("gc", "--orphans", "--json", "--yes").stdout)
    assert gone["items"] == would["items"]
    assert (gone["removed"], gone["failures"]) == (True, [])


def test_code_that_no_record_names_goes_with_what_else_nobody_needs(cleaner: Cleaner, xpm: Xpm) -> None:
    code = Code(cleaner.lab.workspace.path)
    snapshot = code.snapshot(train="print(1)")
    assert " code " not in xpm("gc").stdout
    code.age()
    assert "no record names it xpm gc --orphans" in " ".join(xpm("gc").stdout.split())
    shown = " ".join(xpm("gc", "--orphans").stdout.split())
    assert (
        f"code 1 item 8.2 kB kept code that no job and no record names then 8.2 kB snapshot {short(snapshot)} of"
        in shown
    )
    assert f"snapshot {short(snapshot)} of digits, 1 file, 8 d ago" in shown
    found = json.loads(xpm("gc", "--orphans", "--yes", "--json").stdout)
    [item] = [item for item in found["items"] if item["kind"] == "code"]
    assert (item["path"], item["job"], item["size"]) == (f"code/snapshots/{snapshot}", None, 8192)
    assert code.there == set()


def test_it_says_which_record_keeps_code_from_going(cleaner: Cleaner, xpm: Xpm) -> None:
    code = Code(cleaner.lab.workspace.path)
    code.snapshot(train="print(1)")
    code.age()
    [record] = cleaner.lab.directory("good").path.glob(".xpm/executions/*.json")
    record.write_bytes(b"")
    shown = " ".join(xpm("gc", "--orphans").stdout.split())
    assert f"{record.name}, because it is damaged, so that it is not known which code it names; no code goes" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--yes", "Say what: --old, --failed, --orphans or --keep-runs N."),
        ("--older soon --old", "--older: expected a duration, such as 30s"),
        ("--keep-runs 0", "0 is not in the range x>=1"),
        ("--old --yes --dry-run", "--yes and --dry-run exclude each other."),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(xpm: Xpm, words: str, said: str) -> None:
    result = xpm("gc", *words.split())
    assert result.exit_code == 2
    assert said in result.stderr


def test_without_the_server_nothing_goes(cleaner: Cleaner, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPM_REDIS_URL", AWAY)
    assert xpm("gc", "--orphans", "--yes").exit_code == 3
    assert cleaner.there("orphan")


def test_what_cannot_be_removed_is_named_and_the_rest_goes(
    cleaner: Cleaner, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, worse = removal.remove_tree, short(cleaner.lab.identity("worse"))

    def refuse(path: str) -> list[tuple[str, str]]:
        return [(f"{path}/.nfs0001", "device or resource busy")] if worse in path else remove(path)

    monkeypatch.setattr(removal, "remove_tree", refuse)
    result = xpm("gc", "--failed", "--yes")
    assert result.exit_code == 1
    assert "/.nfs0001: cannot be removed: device or resource busy." in result.stderr
    assert not cleaner.there("bad")
    assert not cleaner.there("worse")  # it is trash, and no result


def test_runs_go_and_it_says_what_no_run_names_then(cleaner: Cleaner, xpm: Xpm) -> None:
    cleaner.run("good")
    result = xpm("gc", "--keep-runs", "1")
    assert "no run names 2 jobs any more; --orphans removes those, too" in result.stdout
    assert xpm("gc", "--keep-runs", "1", "--yes").exit_code == 0
    runs = cleaner.lab.workspace.experiment("sweep").path / "runs"
    assert len(list(runs.iterdir())) == 1
    assert cleaner.there("orphan")


def test_it_is_refused_while_another_one_removes(cleaner: Cleaner, xpm: Xpm) -> None:
    with cleaner.collection():
        result = xpm("gc", "--orphans", "--yes")
    assert result.exit_code == 1
    assert "another xpm gc removes files there" in result.stderr
    assert cleaner.there("orphan")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_question_is_asked_on_a_terminal(
    cleaner: Cleaner, shell: Shell, tmp_path: Path, answer: str, code: int
) -> None:
    words = [PROGRAM, "gc", "--failed", "--workspace", cleaner.lab.workspace.path]
    terminal = Desktop(tmp_path).terminal(*words, env=shell.environment(), columns=80)
    terminal.shows("Remove it?")
    cleaner.lab.store.retry(cleaner.lab.identity("worse"))
    terminal.type(answer)
    assert terminal.ends() == code
    assert cleaner.there("bad") == bool(code)
    assert cleaner.there("worse")  # it runs again since the question
    assert max(map(len, terminal.lines())) <= 80


def test_a_terminal_gets_a_line_of_progress_that_goes(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gc, "PROGRESS_S", -1.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with click.Context(gc.gc):
        progress = gc.Progress()
        progress("sizes", 3)
        progress.clear()
    assert capfd.readouterr().err == "\r\x1b[Ksizes: 3\r\x1b[K"


SWEEP = """
    class Sum(Task):
        parts: Param[list[Quick]]
        def execute(self):
            texts = [(part.jobpath / "n.txt").read_text() for part in self.parts]
            Path("sum.txt").write_text(str(sum(map(int, texts))))

    if __name__ == "__main__":
        start = int(sys.argv[1])
        for run in range(start, start + 4):
            with experiment("workspace", sys.argv[2], workers=1):
                parts = [Quick.C(n=n) for n in range(run, run + 4)]
                for part in parts:
                    part.submit()
                for each in range(2):
                    Sum.C(parts=parts[each:]).submit()
"""


def test_scripts_that_submit_while_jobs_are_removed_find_all_that_they_need(desktop: Desktop, redis_url: str) -> None:
    """Two scripts use the same tasks again and again, while two removals take what no run names any more."""
    script = desktop.write("sweep.py", textwrap.dedent(TASKS) + textwrap.dedent(SWEEP))
    environment, starts = {"XPM_REDIS_URL": redis_url}, ((0, "one"), (2, "two"))
    scripts = [desktop.start(script, str(start), name, env=environment) for start, name in starts]
    over, results = threading.Event(), list[subprocess.CompletedProcess[str]]()
    words = [str(PROGRAM), "gc", "--orphans", "--keep-runs", "1", "--old", "--yes", "--json"]
    words += ["--workspace", str(desktop.workspace)]

    def remove() -> None:
        while not over.is_set():
            environ = {**os.environ, **environment}
            results.append(subprocess.run(words, env=environ, capture_output=True, text=True, check=False))

    removers = [threading.Thread(target=remove) for _ in range(2)]
    for each in removers:
        each.start()
    try:
        codes = [each.ends() for each in scripts]
    finally:
        over.set()
        for each in removers:
            each.join()
    assert codes == [0, 0], [each.err for each in scripts]
    assert {each.returncode for each in results} <= {0, 1, 3}, [each.stderr for each in results]
    documents = [json.loads(each.stdout) for each in results if each.returncode == 0]
    assert sum(len(document["items"]) for document in documents) > 0
    refused = [each.stderr for each in results if each.returncode == 1]
    assert all("another xpm gc removes files there" in said for said in refused), refused
    for directory in desktop.workspace.glob("jobs/*/[0-9a-f]*"):
        assert (directory / ".xpm" / "done").exists(), directory


def test_jobs_that_wait_on_another_server_are_told_and_their_links_stay(
    cleaner: Cleaner, xpm: Xpm, fresh_server: Callable[[], PrivateServer]
) -> None:
    cleaner.lab.submit("waits")
    cleaner.run("waits")
    link = next((cleaner.lab.workspace.path / "experiments/sweep/jobs").glob("*/*waits*"))
    other = fresh_server().url
    result = xpm("gc", "--orphans", "--yes", "--redis", other)
    assert f"The server {other} does not know 1 job of the index that has not ended." in result.stderr
    assert "If another server has them, name that one: --redis URL." in result.stderr
    assert link.is_symlink()
    assert "does not know" not in xpm("gc").stderr
