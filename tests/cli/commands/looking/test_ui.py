"""`xpm ui`: a page of the workspace, at a socket or a port, for those who have its address."""

from __future__ import annotations

import gc
import http.client
import os
import re
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from helpers.served_page import ServedPage
from helpers.simulated_jobs import ERROR, Lab
from helpers.tls import Authority
from helpers.waiting import wait_until

from xpm_cli.commands.looking import ui
from xpm_cli.page.serving.listening import on_port
from xpm_cli.page.serving.server import PageServer
from xpm_core.states import State

pytestmark = pytest.mark.redis

Start = Callable[..., ServedPage]


@pytest.fixture
def start(lab: Lab, redis_url: str) -> Iterator[Start]:
    """Start `xpm ui` in the workspace of the lab, in which a job has failed."""
    lab.end("a", State.FAILED, ERROR)
    pages: list[ServedPage] = []

    def begun(*words: str, **env: str) -> ServedPage:
        pages.append(ServedPage(*words, cwd=lab.workspace.path, env={"XPM_REDIS_URL": redis_url, **env}))
        return pages[-1]

    yield begun
    for page in pages:
        if page.process.poll() is None:
            page.kill()


def test_the_page_is_at_a_socket_that_only_its_user_can_open(start: Start) -> None:
    page = start()
    browser = page.is_up()
    assert stat.S_IMODE(os.stat(browser.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(browser.path)).st_mode) == 0o700
    assert f"ssh -L 8080:{browser.path} " in page.printed
    assert browser.ask("/").status == 403, "through ssh -L, others of that computer reach it, too"
    assert browser.enter().headers["location"] == "/"
    assert "name=a" in browser.ask("/jobs").text or "Train" in browser.ask("/jobs").text
    assert browser.ask("/", Host="evil").status == 403
    assert page.ends(signal.SIGINT) == 130
    assert "Traceback" not in page.said
    assert not os.path.exists(browser.path)


def test_it_only_shows_unless_it_is_allowed_to_act(start: Start) -> None:
    for words, sentence in (((), "xpm ui --allow-actions"), (("--allow-actions",), "does not come from this page")):
        browser = start(*words).is_up()
        browser.enter()
        answer = browser.ask("/jobs", "POST", "csrf=0", Origin=f"http://{browser.host}")
        assert (answer.status, sentence in answer.text) == (403, True)


def test_commands_to_copy_work_in_whatever_directory_they_are_typed(start: Start, lab: Lab) -> None:
    browser = start("--workspace", ".").is_up()
    browser.enter()
    assert f"xpm show {lab.identity('a')[:7]} --workspace {lab.workspace.path}" in browser.ask("/").text


def test_a_port_has_its_line_and_a_taken_one_gives_the_next(start: Start) -> None:
    with closing(on_port(0)) as taken:
        page = start("--port", str(taken.port))
        browser = page.is_up()
        said, line = page.printed.splitlines()
        assert said.startswith(f"port {taken.port} is taken, the page has port ")
        assert re.fullmatch(r"page http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{32}", line)
        assert browser.enter().status == 303
        [cookie] = browser.cookies
        assert browser.host.rpartition(":")[2] in cookie
        assert page.ends(signal.SIGTERM) == 128 + signal.SIGTERM


def test_another_address_of_this_machine_for_itself_is_one_of_its_names(start: Start) -> None:
    browser = start("--port", "0", "--host", "127.0.0.2").is_up()
    assert browser.host.startswith("127.0.0.2:")
    assert browser.enter().status == 303
    assert browser.ask("/", Host="127.0.0.3").status == 403


def test_a_workspace_whose_server_is_gone_is_shown_from_its_files(start: Start) -> None:
    browser = start("--redis", "redis://127.0.0.1:1/0").is_up()
    browser.enter()
    answer = browser.ask("/jobs")
    assert answer.status == 200
    assert "The server cannot be had" in answer.text


def test_a_page_does_not_keep_the_garbage_of_its_answers(
    lab: Lab, xpm: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands look for garbage after 1,000,000 objects, because they end soon. A page lives for nights."""
    lab.submit("waits")
    found: list[int] = []

    def serve(self: PageServer) -> int:
        found.append(gc.get_threshold()[0])
        self._listening.close()
        return 0

    monkeypatch.setattr(PageServer, "serve_until_ended", serve)
    monkeypatch.setattr(os, "nice", lambda number: number)
    before = gc.get_threshold()
    try:
        assert xpm("ui", "--port", "0").exit_code == 0
    finally:
        gc.set_threshold(*before)
    [first] = found
    assert 700 < first < 100_000


def test_a_host_that_others_reach_needs_tls(lab: Lab, xpm: Callable[..., Result]) -> None:
    result = xpm("ui", "--port", "0", "--host", "0.0.0.0")
    assert (result.exit_code, "--tls-cert and --tls-key" in result.stderr) == (2, True)
    far = ["--host", "::", "--port", "1", "--tls-key", __file__]
    for words in (["--tls-cert", __file__], ["--host", "127.0.0.1"], far):
        assert xpm("ui", *words).exit_code == 2
    assert xpm("ui", "--open").exit_code == 2, "there is no display"
    assert "this is no name" in xpm("ui", "--allow-host", "a:b").stderr


def test_with_tls_other_hosts_reach_it_by_allowed_names(start: Start, tmp_path: Path) -> None:
    own = Authority(tmp_path)._own
    page = start(
        "--port", "0", "--host", "0.0.0.0", "--tls-cert", str(own.certificate), "--tls-key", str(own.key),
        "--allow-host", "head.cluster.org:443", "--allow-host", "fd00::1",
    )  # fmt: skip
    browser = page.is_up()
    assert page.printed.startswith("page https://")
    context = ssl.create_default_context(cafile=str(own.certificate))
    context.check_hostname = False
    port = int(browser.host.rpartition(":")[2])

    def status(host: str) -> int:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
        connection.request("GET", f"/?{browser.query}", headers={"Host": host})
        answer = connection.getresponse()
        assert "; Secure" in answer.headers.get("set-cookie", "; Secure")
        connection.close()
        return answer.status

    assert [status(host) for host in ("head.cluster.org", "[fd00::1]", browser.host, "evil")] == [303, 303, 303, 403]


def test_a_key_of_another_certificate_is_an_error(lab: Lab, xpm: Callable[..., Result], tmp_path: Path) -> None:
    one, other = Authority(tmp_path, "one")._own, Authority(tmp_path, "other")._own
    result = xpm("ui", "--port", "0", "--tls-cert", one.certificate, "--tls-key", other.key)
    assert (result.exit_code, "cannot be used for TLS" in result.stderr) == (1, True)


def test_a_desktop_opens_a_browser_with_a_token_that_is_good_once(start: Start, tmp_path: Path) -> None:
    """Other users see the arguments of the browser's process, so these hold a token that is already used."""
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened.new\nmv {tmp_path}/opened.new {tmp_path}/opened\n')
    program.chmod(0o755)
    page = start(DISPLAY=":0", BROWSER=f"{program} %s", SSH_CONNECTION="", SSH_TTY="")
    browser = page.is_up()
    assert browser.path == "", "a browser here cannot open a Unix socket"
    wait_until((tmp_path / "opened").exists, show=lambda: page.printed)
    address = (tmp_path / "opened").read_text().strip()
    assert address.startswith(f"http://{browser.host}/?token=")
    assert browser.query not in address
    once = address.partition("/?")[2]
    assert [browser.ask(f"/?{once}").status for _ in range(2)] == [303, 403]


@pytest.mark.parametrize(
    ("env", "found"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "w"}, True),
        ({}, False),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "x"}, False),
    ],
)
def test_where_a_browser_can_be_opened(env: dict[str, str], found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ui.sys, "platform", "linux")
    assert ui._has_display() is found


def test_no_command_but_this_one_loads_the_packages_of_the_page(lab: Lab, redis_url: str) -> None:
    """They would make each command slower, and a script that has no page."""
    xpm = str(Path(sys.executable).parent / "xpm")
    for words in ([xpm, "status"], [xpm, "ui", "--help"], ["-c", "import xpm_core; xpm_core.experiment"]):
        result = subprocess.run(
            [sys.executable, "-X", "importtime", *words],
            cwd=lab.workspace.path,
            env={**os.environ, "XPM_REDIS_URL": redis_url},
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines()}
        assert "xpm_core" in loaded
        assert {"starlette", "uvicorn", "jinja2", "anyio", "h11"} & loaded == set()
        assert "xpm_cli.page" not in result.stderr
