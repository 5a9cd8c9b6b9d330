"""The page of a job: how it stands and why, in each state; its log with hostile bytes; its files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import redis
from helpers.every_state import EveryState
from helpers.page import PageClient, page_of
from helpers.private_server import PrivateServer, running
from helpers.simulated_jobs import ERROR, Lab
from helpers.waiting import wait_until

from xpm_core.labels import short
from xpm_core.server.binary import ServerProgram
from xpm_core.states import Event, State
from xpm_core.store.records import Lease
from xpm_core.workspace.reported.results_file import Reported
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

HOSTILE = "<script>alert(1)</script>\"'&lt;"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;lt;"


class Texts(HTMLParser):
    """What a page says, and whether something in it could run."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.wrong = "", list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += " " if tag in ("td", "th", "p", "li", "dd", "dt", "div") else ""
        names = dict(attrs)
        if tag == "script" and "src" not in names:
            self.wrong.append("a script")
        self.wrong += [name for name in names if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> str:
    """The text of a page, in which nothing may run."""
    reader = Texts()
    reader.feed(html)
    assert reader.wrong == []
    return " ".join(reader.text.split())


def lines(html: str) -> list[str]:
    """The HTML of the lines of a log."""
    return re.findall(r'<div class="line" data-at="\d+">(.*?)</div>', html)


def log_of(page: PageClient, identity: str, **query: object) -> str:
    """The fragment that the script of the log asks for."""
    return page.get(f"/job/{identity}/log", params=query, headers={"HX-Request": "true"})


def known(page: PageClient, lab: Lab, *names: str) -> None:
    """Wait until the page knows some jobs."""
    wait_until(lambda: len(page.desk.rows([lab.identity(name) for name in names])) == len(names))


class Scene:
    """A workspace with a job in each state, which no test changes."""

    def __init__(self, jobs: EveryState, server: PrivateServer, workspace: Workspace, page: PageClient) -> None:
        self.ids, self.lab, self.server, self.workspace, self.page = jobs.ids, jobs.lab, server, workspace, page


@pytest.fixture(scope="module")
def scene(server_program: ServerProgram, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("states")
    with running(server_program) as server, server.client() as client:
        workspace = Workspace.open(folder / "workspace")
        jobs = EveryState(workspace, client)
        with page_of(workspace.path, server.url) as page:
            yield Scene(jobs, server, workspace, page)


@pytest.mark.parametrize("state", list(State))
def test_each_state_has_its_page(scene: Scene, state: State) -> None:
    text = read(scene.page.get(f"/job/{scene.ids[state]}"))
    assert f"Train name={state.value}" in text
    assert f" {state.value} " in text
    assert "model" in text or "optim.lr" in text
    assert f"xpm show {short(scene.ids[state])} --workspace" in text


def test_a_job_that_waits_says_why_with_the_jobs_that_it_waits_for(scene: Scene) -> None:
    html = scene.page.get(f"/job/{scene.ids[State.WAITING]}")
    text = read(html)
    assert "not yet: it needs 1 job that is not done" in text
    (chain,) = re.findall(r'<p class="chain">(.*?)</p>', html, re.DOTALL)
    assert f'href="/job/{scene.ids[State.RUNNING]}"' in chain
    blocked = scene.page.get(f"/job/{scene.ids[State.BLOCKED]}")
    assert "never: it needs" in read(blocked)
    assert f'href="/job/{scene.ids[State.FAILED]}"' in blocked
    assert f"xpm retry {short(scene.ids[State.FAILED])} --workspace" in read(blocked)


def test_a_failed_job_shows_its_error_and_where_it_is_in_the_log(scene: Scene) -> None:
    html = scene.page.get(f"/job/{scene.ids[State.FAILED]}")
    assert "ValueError: the learning rate is negative sweep.py:41 in Train.execute" in read(html)
    assert f"/job/{scene.ids[State.FAILED]}/log?stream=err&amp;to=traceback" in html
    assert lines(html) == ["failed: a warning"], "the errors of a failed job come first"


def test_a_done_job_shows_results_attempts_and_neighbours(scene: Scene) -> None:
    text = read(scene.page.get(f"/job/{scene.ids[State.DONE]}"))
    assert "accuracy 0.9" in text
    assert re.search(r"Attempts .* 1 done .*memory 50 MB peak", text)
    assert "No job needs it." in text
    text = read(scene.page.get(f"/job/{scene.ids[State.RUNNING]}"))
    assert re.search(r"Needed by Train name=waiting \w{7} . waiting", text) or "name=waiting" in text


@pytest.mark.parametrize("name", ["{short}", "train/{short}", "name=done", "{directory}"])
def test_any_name_of_a_job_leads_to_its_page(scene: Scene, name: str) -> None:
    identity = scene.ids[State.DONE]
    directory = str(scene.lab.directory("done").path)
    answer = scene.page.client.get(
        f"/job/{name.format(short=identity[:9], directory=directory)}", follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/job/{identity}")
    assert (
        scene.page.client.get("/job/failed", follow_redirects=False)
        .headers["location"]
        .endswith(scene.ids[State.FAILED])
    )


def test_a_name_that_no_job_has_is_said_with_what_to_do(scene: Scene) -> None:
    text = read(scene.page.get("/job/0000000000000", status=404))
    assert "Job '0000000000000': no job has this name. Give the first characters of its identity" in text
    assert "it is a foreign run, so there is no job" in read(scene.page.get("/job/csv:runs/3", status=404))
    assert "it names several" in read(scene.page.get("/job/train/", status=400))
    assert "no job has this name" in read(scene.page.get("/job/nobody/log", status=404))


def test_a_fragment_has_only_what_changes(scene: Scene) -> None:
    text = scene.page.get(f"/job/{scene.ids[State.RUNNING]}", headers={"HX-Request": "true"})
    assert text.lstrip().startswith('<div id="standing"')
    assert "<html" not in text


def test_without_the_server_the_files_answer(scene: Scene) -> None:
    with page_of(scene.workspace.path, "redis://127.0.0.1:1") as page:
        text = read(page.get(f"/job/{scene.ids[State.DONE]}"))
        assert "accuracy 0.9" in text
        assert "which jobs need it, only the server knows" in text
        assert "done: epoch 1" in text
        assert "Its state is not known" in read(page.get(f"/job/{scene.ids[State.RUNNING]}"))
        assert "the files of the workspace do not know it" in read(page.get("/job/" + "0" * 64, status=503))


def test_an_outage_leaves_the_log_and_what_is_known(lab: Lab, server_program: ServerProgram, tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "other")
    with running(server_program) as server:
        with server.client() as client:
            own = Lab(workspace, client)
            lease = own.start("a")
            own.directory("a").prepare(1)
            own.directory("a").out.write_text("it goes on\n")
        with page_of(workspace.path, server.url) as page:
            known(page, own, "a")
            server.stop()
            text = read(page.get(f"/job/{lease.identity}"))
            assert "it goes on" in text
            assert "Why: not known now" in text
            assert "it goes on" in log_of(page, lease.identity)


def test_a_job_that_the_server_has_forgotten_says_so(lab: Lab, page: PageClient, redis_client: redis.Redis) -> None:
    lab.submit("a", params={"lr": 0.1})
    known(page, lab, "a")
    redis_client.flushall()
    page.desk.view.refresh()
    text = read(page.get(f"/job/{lab.identity('a')}"))
    assert "the server does not know it any more. Run its script again." in text


def test_a_job_without_its_directory_says_so(lab: Lab, page: PageClient) -> None:
    lab.end("a")
    known(page, lab, "a")
    lab.directory("a").path.rename(lab.workspace.path / "elsewhere")
    text = read(page.get(f"/job/{lab.identity('a')}"))
    assert "Its directory is gone" in text
    assert "Its directory is gone, and its logs with it." in text


def test_a_job_that_has_not_run_has_no_log_yet(lab: Lab, page: PageClient) -> None:
    lab.submit("a")
    known(page, lab, "a")
    assert "It has not run, so there is no log yet." in read(page.get(f"/job/{lab.identity('a')}"))


def test_whatever_a_job_says_is_text(lab: Lab, page: PageClient) -> None:
    name = f"n{HOSTILE}"
    lab.end(name, State.FAILED, {**ERROR, "message": HOSTILE, "function": HOSTILE}, params={HOSTILE: HOSTILE})
    identity = lab.identity(name)
    directory = lab.directory(name)
    directory.err.write_bytes(
        f"{HOSTILE}\n\x1b[31m{HOSTILE}\x1b]8;;javascript:x\x07y\x1b]8;;\x07\n".encode() + b"\xff\xfe\n"
    )
    known(page, lab, name)
    html = page.get(f"/job/{identity}")
    assert HOSTILE in read(html)
    assert lines(html) == [ESCAPED, f'<span class="f1">{ESCAPED}y</span>', '<span class="f1">\ufffd\ufffd</span>']
    assert HOSTILE in read(page.get(f"/job/{identity}/log", params={"stream": "err", "find": HOSTILE}))


# -- the log -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lease(lab: Lab) -> Lease:
    """That of a job that runs, `a`."""
    return lab.start("a")


@pytest.fixture
def job(lab: Lab, page: PageClient, lease: Lease) -> str:
    """The identity of that job. It has a directory."""
    lab.directory("a").prepare(1)
    known(page, lab, "a")
    return lease.identity


def place(fragment: str) -> dict[str, str]:
    """Where a part of a log goes on, as the script hands it back."""
    found = dict(re.findall(r'data-(end|file|style)="([^"]*)"', fragment))
    return {"at": found["end"], "file": found["file"], "style": found["style"]}


def test_a_log_is_followed_as_it_grows(lab: Lab, page: PageClient, lease: Lease, job: str) -> None:
    out = lab.directory("a").out
    assert "It has printed nothing yet." in log_of(page, job)
    out.write_bytes(b"one\n\x1b[32m10 %")
    first = log_of(page, job)
    assert lines(first) == ["one", '<span class="f2">10 %</span>']
    assert "data-open" in first
    assert "data-follows" in first
    with out.open("ab") as file:
        file.write(b"\r20 %\ntwo\n")
    second = log_of(page, job, **place(first))
    assert lines(second) == ['<span class="f2">20 %</span>', '<span class="f2">two</span>']
    assert lines(log_of(page, job, **place(second))) == []
    out.write_bytes(b"cut\n")
    third = log_of(page, job, **place(second))
    assert lines(third) == ["cut"]
    assert "The log begins anew here: the file was cut shorter." in third
    lab.finish("a", lease)
    wait_until(lambda: page.desk.rows([job])[0].state is State.DONE)
    assert "data-follows" not in log_of(page, job)


def test_each_attempt_has_its_part(lab: Lab, page: PageClient) -> None:
    lease = lab.start("a")
    directory = lab.directory("a")
    directory.prepare(1)
    directory.out.write_bytes(b"first\n")
    lab.finish("a", lease, State.FAILED, ERROR, log_to=[6, 0])
    lab.store.retry(lease.identity)
    second = lab.claim(lease.identity)
    directory.prepare(2)
    with directory.out.open("ab") as file:
        file.write(b"second\n")
    wait_until(lambda: page.desk.rows([lease.identity])[0].state is State.RUNNING)
    assert lines(log_of(page, lease.identity, attempt=1)) == ["first"]
    assert "data-follows" not in log_of(page, lease.identity, attempt=1)
    assert lines(log_of(page, lease.identity, attempt=2)) == ["second"]
    assert lines(log_of(page, lease.identity)) == ["first", "second"]
    assert second.attempt == 2
    html = page.get(f"/job/{lease.identity}")
    assert "log of attempt 1" in read(html)
    assert "there was no attempt 9, it had 1" in read(page.get(f"/job/{lease.identity}/log?attempt=9", status=404))


def test_the_traceback_and_a_match_are_jumped_to(lab: Lab, page: PageClient, job: str) -> None:
    lab.directory("a").err.write_bytes(b"x\n" * 10 + b"Traceback (most recent call last):\n  boom\nValueError\n")
    assert lines(log_of(page, job, stream="err", to="traceback"))[0] == "Traceback (most recent call last):"
    found = log_of(page, job, stream="err", find="boom")
    assert "<mark>boom</mark>" in found
    (at,) = re.findall(r'data-at="(\d+)"', found)
    assert lines(log_of(page, job, stream="err", at=at))[0] == "  boom"
    lab.directory("a").out.write_bytes(b"nothing\n")
    assert "There is no traceback." in log_of(page, job, stream="out", to="traceback")
    assert "0 lines with" in read(log_of(page, job, stream="out", find="boom"))
    wrong = log_of(page, job, stream="out", find="(", regex="1")
    assert "The regular expression cannot be understood: missing )" in read(wrong)


@pytest.mark.parametrize("kind", ["passwd", "pipe", "folder", "circle", "device"])
def test_a_log_that_is_no_file_of_the_job_is_not_shown(lab: Lab, page: PageClient, job: str, kind: str) -> None:
    out = lab.directory("a").out
    if kind == "passwd":
        out.symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(out)
    elif kind == "folder":
        out.mkdir()
    elif kind == "device":
        out.symlink_to("/dev/zero")
    else:
        out.symlink_to(out.name)
    for text in (
        log_of(page, job, stream="out"),
        page.get(f"/job/{job}"),
        log_of(page, job, stream="out", find="root"),
    ):
        assert "root:" not in text
        assert lines(text) == []
    said = {"passwd": "outside", "pipe": "no regular file", "folder": "folder", "circle": "", "device": "outside"}
    assert said[kind] in log_of(page, job, stream="out")


def test_pipes_in_place_of_the_records_do_not_hold_the_page(lab: Lab, page: PageClient) -> None:
    lab.end("a")
    directory = lab.directory("a")
    known(page, lab, "a")
    for name in ("metrics.jsonl", "results.json", "params.json", ".xpm/accepted.jsonl", ".xpm/imported.json"):
        (directory.path / name).unlink(missing_ok=True)
        os.mkfifo(directory.path / name)
    assert "Train" in read(page.get(f"/job/{lab.identity('a')}"))


def test_a_query_that_is_nonsense_counts_as_not_said(lab: Lab, page: PageClient, job: str) -> None:
    lab.directory("a").out.write_bytes(b"one\ntwo\n")
    for name in ("at", "before", "attempt", "from", "line"):
        for value in ("-1", "x", "9" * 30, "\u0663", "1e3", "0x10", ""):
            log_of(page, job, **{name: value})
    assert lines(log_of(page, job, at="9" * 19)) == []
    assert lines(log_of(page, job, stream="../../etc/passwd")) == ["one", "two"]
    assert lines(log_of(page, job, at=4, file="x", style="<b>" * 100)) == ["one", "two"]
    log_of(page, job, find="x" * 5000)


# -- files -------------------------------------------------------------------------------------------------------------


def test_files_are_handed_out_to_be_kept(lab: Lab, page: PageClient, job: str) -> None:
    path = lab.directory("a").path
    (path / "plots").mkdir()
    (path / "plots" / 'lo"ss\u00e9.html').write_bytes(b"<script>alert(1)</script>")
    answer = page.client.get(f"/job/{job}/files/plots/lo%22ss%C3%A9.html")
    assert (answer.status_code, answer.content) == (200, b"<script>alert(1)</script>")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''lo%22ss%C3%A9.html"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nothing", 404),
        ("plots", 404),
        ("link", 403),
        ("%2e%2e/%2e%2e/other", 403),
        ("/etc/passwd", 403),
        (".xpm/handed.json", 403),
        (".XPM/handed.json", 403),
        ("plots/%2e%2e/.xpm/handed.json", 403),
        ("pipe", 403),
    ],
)
def test_files_that_are_not_of_the_job_are_not_handed_out(
    lab: Lab, page: PageClient, job: str, path: str, status: int
) -> None:
    folder = lab.directory("a").path
    (folder / "plots").mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    (folder / ".xpm" / "handed.json").write_text("s3cret")
    os.mkfifo(folder / "pipe")
    text = page.get(f"/job/{job}/files/{path}", status=status)
    assert "s3cret" not in text
    assert "root:" not in text


# -- the code ----------------------------------------------------------------------------------------------------------


def test_what_has_changed_of_the_code_is_said_when_it_is_asked_for(scene: Scene) -> None:
    done, failed = scene.ids[State.DONE], scene.ids[State.FAILED]
    assert f'hx-get="/job/{done}/code"' in scene.page.get(f"/job/{done}")
    text = read(scene.page.get(f"/job/{done}/code"))
    assert "Train name=done: it cannot be told" in text
    fragment = scene.page.get(f"/job/{done}/code", headers={"HX-Request": "true"})
    assert "<html" not in fragment
    assert '/code"' not in scene.page.get(f"/job/{failed}")
    assert "it is not done, so no record says what it ran" in read(scene.page.get(f"/job/{failed}/code"))


# -- what it reports ---------------------------------------------------------------------------------------------------


def test_metrics_have_curves_and_files_are_links(lab: Lab, page: PageClient) -> None:
    lease = lab.end("a", results={"accuracy": 0.9, "loss": {"test": 0.25}})
    path = lab.directory("a").path
    rows = [{"step": step, "loss": 1 / (step + 1), "name<b>": step, "phase": "warm"} for step in range(3)]
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "plot.png").write_bytes(b"x" * 1200)
    reported = Reported(lease.execution, {"accuracy": 0.9}, {}, ["plot.png", "gone.bin"], ["lists are too long"])
    reported.write(lab.directory("a"))
    known(page, lab, "a")
    html = page.get(f"/job/{lease.identity}")
    curves = re.findall(r'data-curve="([^"]*)"', html)
    assert curves == [f"/curves/data?metric={name}&amp;ids={lease.identity}" for name in ("loss", "name%3Cb%3E")]
    text = read(html)
    assert "name<b> 2 2" in text
    assert "phase warm 2" in text
    assert f'<a href="/job/{lease.identity}/files/plot.png">plot.png</a> <span class="muted">1.2 kB</span>' in html
    assert "gone.bin is not there" in text
    assert "not kept: lists are too long" in text


def test_progress_is_a_bar_with_words(lab: Lab, page: PageClient, lease: Lease, job: str) -> None:
    told = {"fraction": 0.25, "desc": "epoch 1/4", "inner": [{"fraction": None, "desc": "batch <7>"}]}
    lab.store.tell(lease, Event.PROGRESS, told)
    wait_until(lambda: "epoch 1/4" in page.get(f"/job/{job}"))
    html = page.get(f"/job/{job}")
    assert '<progress max="1" value="0.2500" aria-label="epoch 1/4"></progress> 25 % epoch 1/4' in html
    assert "batch &lt;7&gt;" in html


def test_an_attempt_without_a_record_is_listed(lab: Lab, page: PageClient) -> None:
    lease = lab.start("a")
    lab.store.release(lease, started=True)
    again = lab.claim(lease.identity)
    wait_until(lambda: page.desk.rows([lease.identity])[0].attempts == again.attempt)
    rows = re.findall(r'<tr><th scope="row">(\d+)</th><td>([^<]*)</td>', page.get(f"/job/{lease.identity}"))
    assert rows[0] == (str(again.attempt), "running")


def test_a_line_of_50_mb_and_a_log_of_a_gigabyte_give_a_small_page(lab: Lab, page: PageClient, job: str) -> None:
    with lab.directory("a").out.open("wb") as file:
        file.write(b"before\n" + b"x" * 50_000_000 + b"\nafter\n")
    text = log_of(page, job, at=0)
    assert lines(text) == ["before"]
    text = log_of(page, job, at=7)
    assert "[cut: this line has 50.0 MB]" in text
    assert len(text) < 10_000
    with lab.directory("a").err.open("wb") as file:
        file.truncate(1 << 30)
        file.seek((1 << 30) - 8)
        file.write(b"\nthe end")
    text = log_of(page, job, stream="err")
    assert lines(text)[-1] == "the end"
    assert len(page.get(f"/job/{job}/log?stream=err")) < 50_000


def test_numbers_have_the_digits_of_tables_and_steps_all_of_theirs(lab: Lab, page: PageClient) -> None:
    lease = lab.end("a", results={"accuracy": 2 / 3})
    about = {"task": "sweep:Train", "identity": lease.identity, "tags": {}}
    lab.directory("a").write_params({**about, "parameters": {"lr": 0.123456789}})
    line = {"step": 123_456_789, "loss": 0.1 / 5 + 1e-17}
    (lab.directory("a").path / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    known(page, lab, "a")
    text = read(page.get(f"/job/{lease.identity}"))
    assert "loss 0.02 123456789" in text
    assert "accuracy 0.666667" in text
    assert "lr 0.123456789" in text  # a parameter was given, so it is whole
