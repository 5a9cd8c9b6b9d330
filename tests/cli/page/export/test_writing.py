"""A static copy: what it has, that each link leads to a file, that nothing hostile gets out of it, or into it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import AWAY

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.page.export import Exported, curve_view, files, job_pages, place, write, writing
from xpm_cli.page.timeline import history
from xpm_core.reading.look import View
from xpm_core.states import State
from xpm_core.words.commands import Commands
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Scene

pytestmark = pytest.mark.redis

EVIL = "\"'><script>alert(1)</script>../../../etc/passwd\x1b[31m"


def exported(folder: Path, url: str, target: Path) -> Exported:
    workspace = Workspace.open(folder, create=False, writable=False)
    with View(workspace, url) as view:
        return write(OpenWorkspace(view, Commands.of_program(folder, None)), target)


class Page(HTMLParser):
    """The links of a file, and what it must not have."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def problems(folder: Path) -> Iterator[str]:
    """What is wrong with the files of a copy: a link that leads nowhere, or out of it; a script; a form."""
    for path in folder.rglob("*.html"):
        page = Page(path.read_text())
        for tag in page.tags & {"script", "form", "input", "button", "noscript", "iframe"}:
            yield f"{path.relative_to(folder)}: <{tag}>"
        for name in page.attributes:
            if name.startswith(("on", "hx-", "data-")) or name in ("style", "action"):
                yield f"{path.relative_to(folder)}: {name}="
        for link in page.links:
            target = Path(os.path.normpath(path.parent / unquote(link.partition("#")[0])))
            if link.startswith("#"):
                continue
            if ":" in link or link.startswith("/") or not target.is_relative_to(folder) or not target.is_file():
                yield f"{path.relative_to(folder)}: {link}"


@pytest.fixture(scope="module")
def copy(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("copies") / "copy"
    exported(scene.shell.folder, scene.shell.url, target)
    return target


def test_each_link_leads_to_a_file_and_no_file_needs_a_script(copy: Path) -> None:
    assert list(problems(copy)) == []


def test_it_has_experiments_tables_jobs_and_results(copy: Path, scene: Scene) -> None:
    assert {path.name for path in copy.iterdir()} >= {"index.html", "jobs", "job", "results.html", "assets", place.MARK}
    assert "jobs/sweep-1.html" in (copy / "index.html").read_text()
    table = (copy / "jobs" / "all-1.html").read_text()
    for state, identity in scene.ids.items():
        assert f"../job/{identity}.html" in table
        page = (copy / "job" / f"{identity}.html").read_text()
        assert f"name={state.value}" in page
        assert "Parameters" in page
    done = (copy / "job" / f"{scene.ids[State.DONE]}.html").read_text()
    assert "done: epoch 1" in done
    assert "accuracy" in done
    assert "ValueError: the learning rate is negative" in (copy / "job" / f"{scene.ids[State.FAILED]}.html").read_text()
    assert "0.9" in (copy / "results" / "sweep.html").read_text()
    assert "accuracy" in (copy / "results" / "sweep.csv").read_text()
    assert "tabular" in (copy / "results" / "sweep.tex").read_text()


def test_it_says_when_it_was_made_and_what_it_leaves_out(copy: Path) -> None:
    first = (copy / "index.html").read_text()
    assert re.search(r"A copy, made \d{4}-\d\d-\d\d \d\d:\d\d [+-]\d\d:\d\d by xpm \d", first)
    assert "It leaves out filters, sorting," in first
    assert "of the timeline, all but its last day and 40 workers" in first
    mark = json.loads((copy / place.MARK).read_text())
    assert mark["jobs"] == 8
    assert mark["left_out"] == list(writing.LEFT_OUT)


def test_without_the_server_the_files_are_copied(scene: Scene, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    found = exported(scene.shell.folder, AWAY, target)
    assert found.jobs == 8
    assert list(problems(target)) == []
    assert "done: epoch 1" in (target / "job" / f"{scene.ids[State.DONE]}.html").read_text()


def test_hostile_names_stay_in_the_copy_and_are_text(
    workspace: Workspace, redis_url: str, lab: Lab, tmp_path: Path
) -> None:
    lab.end("bad", State.FAILED, {**ERROR, "message": EVIL, "type": EVIL}, params={"path": EVIL}, tags={"tag": EVIL})
    directory = lab.directory("bad")
    directory.out.write_text(f"{EVIL}\n")
    directory.err.symlink_to("/etc/passwd")
    os.mkfifo(directory.path / "metrics.jsonl")
    target = tmp_path / "deep" / "copy"
    exported(workspace.path, redis_url, target)
    assert list(problems(target)) == []
    every = "".join(path.read_text() for path in target.rglob("*.html"))
    assert "<script" not in every
    assert "root:" not in every
    assert "\x1b" not in every
    assert "lies outside of the job" in every
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["copy"]


def test_a_long_past_is_read_to_its_end(
    workspace: Workspace, redis_url: str, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PATIENCE_S", 0.0)
    lab.end("a")
    exported(workspace.path, redis_url, tmp_path / "copy")
    page = (tmp_path / "copy" / "views" / "timeline.html").read_text()
    assert "is being read" not in page
    assert "1 execution" in page


def test_a_metric_that_takes_too_long_is_named(
    workspace: Workspace, redis_url: str, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve_view, "READINGS", 0)
    lab.end("slow")
    (lab.directory("slow").path / "metrics.jsonl").write_text('{"step": 1, "loss": 0.5}\n')
    exported(workspace.path, redis_url, tmp_path / "copy")
    assert "loss is not drawn: its files could not be read" in (tmp_path / "copy" / "views" / "curves.html").read_text()


def test_where_fewer_runs_count_a_mean_is_dotted_and_has_no_band(
    workspace: Workspace, redis_url: str, lab: Lab, tmp_path: Path
) -> None:
    for seed, steps in enumerate((10, 10, 10, 5)):
        lab.end(f"run {seed}", tags={}, params={"name": "all", "seed": seed})
        lines = [json.dumps({"step": step, "loss": seed + step}) for step in range(steps)]
        (lab.directory(f"run {seed}").path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    exported(workspace.path, redis_url, tmp_path / "copy")
    page = (tmp_path / "copy" / "views" / "curves.html").read_text()
    [line, dotted] = re.findall(r'<polyline points="([^"]*)"[^>]*?(?:dasharray="1 4")?>', page)
    assert (len(line.split()), len(dotted.split())) == (5, 6)
    [band] = re.findall(r'<polygon points="([^"]*)"', page)
    assert len(band.split()) == 2 * 5


def test_a_curve_is_drawn(workspace: Workspace, redis_url: str, lab: Lab, tmp_path: Path) -> None:
    lab.end("drawn")
    lines = [json.dumps({"step": step, "loss": None if step == 5 else 1 / step}) for step in range(1, 11)]
    (lab.directory("drawn").path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    target = tmp_path / "copy"
    exported(workspace.path, redis_url, target)
    page = (target / "job" / f"{lab.identity('drawn')}.html").read_text()
    assert "loss = 0.1" in page
    every = (target / "views" / "curves.html").read_text()
    assert "<h2>loss</h2>" in every
    assert every.count("<polyline") == 1
    assert re.search(r'<polyline points="0\.0,0\.0 [\d., ]+ 320\.0,120\.0"', page)


def test_the_end_of_a_long_log_is_copied(
    workspace: Workspace, redis_url: str, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_pages, "LOG_BYTES", 100)
    lab.end("long")
    lab.directory("long").out.write_text("".join(f"line {number}\n" for number in range(1000)))
    target = tmp_path / "copy"
    exported(workspace.path, redis_url, target)
    page = (target / "job" / f"{lab.identity('long')}.html").read_text()
    assert "line 999" in page
    assert "line 900" not in page
    assert "before it are left out" in page


def test_progress_bars_and_colours_become_text() -> None:
    log = b"\x1b[31mred\x1b[0m\r\n 10%\r 50%\r100%\nbell\x07 \xff\n\x1b]0;title\x07x"
    assert job_pages.plain_log(log) == "red\n100%\nbell\ufffd \ufffd\nx"


def test_many_jobs_are_in_several_files(
    workspace: Workspace, redis_url: str, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (files, writing):
        monkeypatch.setattr(module, "ROWS", 3)
    for number in range(7):
        lab.submit(f"job{number}")
    target = tmp_path / "copy"
    exported(workspace.path, redis_url, target)
    assert list(problems(target)) == []
    assert sorted(path.name for path in (target / "jobs").glob("all-*")) == ["all-1.html", "all-2.html", "all-3.html"]
    found = [re.findall(r"\.\./job/([0-9a-f]{64})", path.read_text()) for path in (target / "jobs").glob("all-*")]
    assert len({identity for each in found for identity in each}) == 7


def test_an_earlier_copy_is_replaced_as_a_whole(workspace: Workspace, redis_url: str, lab: Lab, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    lab.submit("first")
    exported(workspace.path, redis_url, target)
    link = tmp_path / "link"
    link.symlink_to(target)
    lab.submit("second")
    exported(workspace.path, redis_url, link)
    assert len(list((target / "job").iterdir())) == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    assert link.is_symlink()


def test_a_crash_leaves_the_earlier_copy(
    workspace: Workspace, redis_url: str, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy"
    lab.submit("first")
    exported(workspace.path, redis_url, target)
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    monkeypatch.setattr(writing, "job_page", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        exported(workspace.path, redis_url, target)
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".copy")] == []


def test_an_empty_directory_is_filled(workspace: Workspace, redis_url: str, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    target.mkdir()
    assert exported(workspace.path, redis_url, target).jobs == 0
    assert list(problems(target)) == []
