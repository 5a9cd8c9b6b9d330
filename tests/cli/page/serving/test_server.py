"""The server ends within a second, whatever browsers and threads do, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from helpers.served_page import Browser
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from xpm_cli.page.serving.listening import on_port
from xpm_cli.page.serving.server import PageServer

BODY = """
import asyncio, sys, threading, time
from pathlib import Path
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from xpm_cli.page.serving.listening import on_socket
from xpm_cli.page.serving import listening
from xpm_cli.page.serving.server import PageServer

listening.private_folder = lambda: sys.argv[1]

async def endless():
    while True:
        yield "data: 1\\n\\n"
        await asyncio.sleep(0.01)

def stuck(request):
    Path("stuck").touch()
    time.sleep(600)

def broken(request):
    raise RuntimeError("boom")

routes = [
    Route("/live", lambda request: StreamingResponse(endless())),
    Route("/stuck", stuck),
    Route("/broken", broken),
    Route("/", lambda request: PlainTextResponse("here")),
]
found = on_socket("/data/xpm")
print(found.path, flush=True)
code = PageServer(Starlette(routes=routes), found, at_end=lambda: print("left", flush=True)).serve_until_ended()
print("ended", code, flush=True)
sys.exit(code)
"""

STARTED = """
import os, signal, sys
if sys.argv[1]:
    signal.signal(int(sys.argv[1]), signal.SIG_IGN)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Starts another program that ignores a signal from its beginning on, as nohup does."""


class Served:
    """A server in a process of its own."""

    def __init__(self, folder: Path, *, ignores: int | None = None) -> None:
        (folder / "sockets").mkdir(mode=0o700)
        (folder / "serve.py").write_text(textwrap.dedent(BODY))
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                STARTED,
                str(int(ignores)) if ignores else "",
                sys.executable,
                "serve.py",
                "sockets",
            ],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.path = folder / self.process.stdout.readline().strip()
        self.browser = Browser("http://localhost:8080/", os.path.relpath(self.path))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_ignoredends_it_although_a_stream_is_open(here: Path, number: int) -> None:
    served = Served(here)
    assert served.browser.ask("/").text == "here"
    connection = served.browser.connected()
    connection.request("GET", "/live", headers={"Host": "localhost"})
    stream = connection.getresponse()
    assert stream.read(9) == b"data: 1\n\n"
    served.process.send_signal(number)
    out, err = served.process.communicate(timeout=60)
    assert (served.process.returncode, out, err) == (number, f"ended {int(number)}\n", "")
    assert not served.path.exists()
    connection.close()


def test_a_thread_that_hangs_does_not_hold_it_up(here: Path) -> None:
    served = Served(here)
    connection = served.browser.connected()
    connection.request("GET", "/stuck", headers={"Host": "localhost"})
    while not (here / "stuck").exists():
        assert served.process.poll() is None
    served.process.send_signal(signal.SIGTERM)
    out, _ = served.process.communicate(timeout=60)  # the view sleeps for ten minutes
    assert served.process.returncode == 128 + signal.SIGTERM
    assert out.splitlines()[-1] == "left", "it may be the last user of an embedded server"
    assert not served.path.exists()
    connection.close()


def test_what_was_started_to_live_on_after_a_logout_ignores_it(here: Path) -> None:
    served = Served(here, ignores=signal.SIGHUP)
    served.process.send_signal(signal.SIGHUP)
    assert served.browser.ask("/").text == "here"
    served.process.send_signal(signal.SIGTERM)
    served.process.communicate(timeout=60)
    assert served.process.returncode == signal.SIGTERM


def test_requests_are_not_logged_and_faults_are(here: Path) -> None:
    served = Served(here)
    assert served.browser.ask(f"/?secret={'1' * 200_000}").status == 200, "an address may name many jobs"
    assert served.browser.ask("/broken").status == 500
    served.process.send_signal(signal.SIGTERM)
    _, err = served.process.communicate(timeout=60)
    assert "RuntimeError: boom" in err
    assert "secret" not in err


def test_requests_that_are_none_do_not_fill_the_log(here: Path) -> None:
    served = Served(here)
    for sent in (
        b"\x16\x03\x01\n\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ):
        with served.browser.connected().sock as connection:
            connection.sendall(sent)
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 ")
    served.process.send_signal(signal.SIGTERM)
    assert served.process.communicate(timeout=60)[1] == ""


def test_it_can_be_ended_by_another_thread_and_says_nothing_of_itself() -> None:
    listening = on_port(0)
    server = PageServer(Starlette(routes=[Route("/", lambda request: PlainTextResponse("here"))]), listening)
    ended: list[int] = []
    thread = threading.Thread(target=lambda: ended.append(server.serve_until_ended()))
    thread.start()
    answer = Browser(listening.url("")).ask("/")
    assert (answer.text, "server" in answer.headers) == ("here", False)
    server.stop()
    thread.join(60)
    assert ended == [0]
    server._over.cancel()
