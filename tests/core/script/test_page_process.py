"""The page of a run: it comes by itself, ends with the script however that ends, and never stands in its way."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from helpers.fresh_process import run
from helpers.playground import Stage
from helpers.ports import free_port
from helpers.served_page import ADDRESS, Browser, ends, page_processes
from helpers.user_scripts import Desktop, Running
from helpers.waiting import wait_until
from script_tasks import Write

from xpm_core.script.page_process import PageProcess
from xpm_core.server.embedded.record import ServerRecord
from xpm_core.server.embedded.server import data_folder
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

FORKS = """
import multiprocessing
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(SECONDS,))
child.start()
Path("child").write_text(str(child.pid))
"""


def started(desktop: Desktop, body: str = "", port: int = 0, **env: str) -> tuple[Running, Browser, psutil.Process]:
    """A script that waits for a job, the browser with its page, and the page's process."""
    hold = f"Hold.C(n=1, until={str(desktop.folder / 'go')!r}).submit()"
    script = desktop.script("sweep.py", f"{body}\n{hold}", options=f"workers=1, port={port}")
    os.umask(0o077)  # only then the address is on stderr, which is a file here
    running = desktop.start(script, env=env)
    wait_until(lambda: ADDRESS.search(running.err), show=lambda: running.err)
    [process] = page_processes(running.pid)
    return running, Browser(ADDRESS.search(running.err)[0]), process  # type: ignore[index]


@pytest.fixture(autouse=True)
def umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


# -- the page of a script ---------------------------------------------------------------------------------------------


def test_the_page_shows_the_run_may_act_and_ends_with_the_script(desktop: Desktop) -> None:
    running, browser, process = started(desktop, XPM_QUIET="1")
    assert f"page {ADDRESS.search(running.err)[0]}" in running.err.splitlines()  # type: ignore[index]
    assert browser.enter().status == 303
    assert "hold" in wait_until(lambda: browser.ask("/jobs")).text.lower()
    refused = browser.ask("/jobs", "POST", "csrf=0", Origin=f"http://{browser.host}")
    assert "does not come from this page" in refused.text, "it would say so if it may not act"
    assert process.nice() > os.nice(0) or os.nice(0) == 19
    assert os.getsid(process.pid) == process.pid, "Ctrl-C in the terminal does not reach it"
    (desktop.folder / "go").touch()
    assert running.ends() == 0, running.err
    ends(process)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(browser.host.rpartition(":")[2]))) != 0


def test_no_secret_is_where_others_could_see_it(desktop: Desktop) -> None:
    running, browser, process = started(desktop)
    token = browser.query.removeprefix("token=")
    assert all(token not in word for word in process.cmdline())
    assert token not in json.dumps(process.environ())
    files = [path for path in desktop.workspace.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(path.name == "page.log" for path in files)
    assert [path for path in files if token.encode() in path.read_bytes()] == []
    (desktop.folder / "go").touch()
    assert running.ends() == 0


def test_an_output_that_others_read_has_no_token(desktop: Desktop) -> None:
    hold = f"Hold.C(n=1, until={str(desktop.folder / 'go')!r}).submit()"
    running = desktop.start(desktop.script("sweep.py", hold, options="workers=1, port=0"))
    said = running.says("others may read this output")
    assert re.search(r"(?m)^page http://127.0.0.1:\d+/$", said)
    file = Path(said.partition("token is in ")[2].split()[0])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    browser = Browser(file.read_text().strip())
    assert browser.enter().status == 303
    (desktop.folder / "go").touch()
    assert running.ends() == 0
    wait_until(lambda: not file.exists())


@pytest.mark.faults
def test_the_page_ends_when_its_script_is_killed_although_a_forked_process_lives(desktop: Desktop) -> None:
    running, browser, process = started(desktop, FORKS.replace("SECONDS", "600"))
    assert browser.enter().status == 303
    running.kill()
    ends(process)
    child = psutil.Process(int((desktop.folder / "child").read_text()))
    assert child.is_running()
    child.kill()
    (desktop.folder / "go").touch()


def test_a_process_that_was_forked_ends_and_the_page_stays(desktop: Desktop) -> None:
    body = FORKS.replace("SECONDS", "0") + "child.join()\nprint('joined', flush=True)"
    running, browser, process = started(desktop, body)
    wait_until(lambda: "joined" in running.out, show=lambda: running.err)
    assert browser.enter().status == 303
    assert browser.ask("/").status == 200
    assert process.is_running()
    (desktop.folder / "go").touch()
    assert running.ends() == 0


def test_ctrl_c_ends_the_page_with_the_script(desktop: Desktop) -> None:
    running, _, process = started(desktop)
    running.interrupt()
    running.ends()
    ends(process)
    (desktop.folder / "go").touch()


def test_a_port_that_is_taken_gives_another_one_and_a_line_says_so(desktop: Desktop) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        running, browser, _ = started(desktop, port=port)
        assert f"port {port} is taken, the page has port {browser.host.rpartition(':')[2]}" in running.err
        (desktop.folder / "go").touch()
        assert running.ends() == 0


def test_a_dry_run_has_no_page(desktop: Desktop) -> None:
    script = desktop.script("sweep.py", "Quick.C(n=1).submit()", options="workers=1, port=0")
    running = desktop.start(script, env={"XPM_DRY_RUN": "1"})
    assert running.ends() == 0
    assert "page" not in running.err


# -- with a server that is shared -------------------------------------------------------------------------------------


def test_a_server_that_is_shared_is_found_and_its_address_is_no_argument(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    with stage.experiment(port=0) as xp:
        page = xp._run._page
        assert page is not None
        page._tell = said.append
        Write.C(note=stage.note()).submit()
        wait_until(lambda: said)
        [process] = page_processes(os.getpid())
        assert stage.url not in " ".join(process.cmdline())
        browser = Browser(ADDRESS.search(said[0])[0])  # type: ignore[index]
        assert browser.enter().status == 303
        assert browser.ask("/jobs").status == 200
    ends(process)


# -- what can go wrong ------------------------------------------------------------------------------------------------


def page(tmp_path: Path, said: list[str], *words: str) -> PageProcess:
    made = PageProcess("digits", tmp_path, 0, url="", log_file=tmp_path / "page.log", tell=said.append)
    if words:
        made._command = list(words)
    return made


def test_a_page_that_cannot_be_started_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    page(tmp_path, [], str(tmp_path / "nowhere")).start()
    [record] = caplog.records
    assert "digits: there is no page: it cannot be started: " in record.message
    assert record.message.endswith("The run goes on without it")


def test_a_page_that_cannot_serve_says_why_in_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    made = page(tmp_path, said)  # the folder is no workspace
    made.start()
    wait_until(lambda: caplog.records)
    [record] = caplog.records
    assert f"digits: there is no page: {tmp_path}" in record.message
    assert said == []
    made.close()


def test_a_page_that_breaks_later_is_one_warning_with_its_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = page(tmp_path, [], "/bin/sh", "-c", "echo broken >&2; exit 3", "sh")
    made.start()
    wait_until(lambda: caplog.records)
    assert f"its process has ended with exit code 3, see {tmp_path / 'page.log'}" in caplog.records[0].message
    assert (tmp_path / "page.log").read_text() == "broken\n"
    made.close()


def test_a_page_that_does_not_answer_holds_nobody_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = page(tmp_path, [], "/bin/sh", "-c", "exec cat", "sh")
    made.start()
    process = made._process
    assert process is not None
    made.close()
    wait_until(lambda: process.poll() is not None)
    assert caplog.records == []


LETS_GO = """
import os
from pathlib import Path
from xpm_core.script import page_process
made = page_process.PageProcess("digits", Path(), 0, url="", log_file=Path("page.log"), tell=print)
made._command = ["/bin/sh", "-c", "exec cat", "sh"]
made.start()
number = made._process.stdin.fileno()
if (child := os.fork()) == 0:
    try:
        os.fstat(number)
    except OSError:
        os._exit(7)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os.fstat(number)
print(made in page_process._HELD)
made.close()
"""


def test_forked_processes_let_go_of_the_pipe(tmp_path: Path) -> None:
    assert run("-c", LETS_GO, cwd=tmp_path).split() == ["7", "True"]


# -- how it is said ---------------------------------------------------------------------------------------------------


def test_the_address_is_one_line_above_the_progress_on_a_narrow_terminal(desktop: Desktop) -> None:
    hold = f"Hold.C(n=1, until={str(desktop.folder / 'go')!r}).submit()"
    terminal = desktop.terminal(desktop.script("sweep.py", hold, options="workers=1, port=0"), columns=50)
    wait_until(lambda: ADDRESS.search(terminal.raw.decode()), show=lambda: terminal.raw)
    assert re.search(rb"page http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{32}\r?\n", terminal.raw), "no break stands in it"
    (desktop.folder / "go").touch()
    assert terminal.ends() == 0


def test_two_experiments_of_a_script_have_the_same_port(desktop: Desktop) -> None:
    port = free_port()
    os.umask(0o077)
    script = desktop.write(
        "two.py",
        f"""
        import os, time
        from xpm_core import experiment
        from pathlib import Path

        if __name__ == "__main__":
            for name in ("one", "two"):
                with experiment({str(desktop.workspace)!r}, name, workers=0, port={port}):
                    while Path({str(desktop.folder / "err0.txt")!r}).read_text().count("token=") < 1 + (name == "two"):
                        time.sleep(0.01)
        """,
    )
    running = desktop.start(script)
    assert running.ends() == 0, running.err
    assert re.findall(r"page http://127.0.0.1:(\d+)/", running.err) == [str(port)] * 2


LATE = """
import os, sys, time
from xpm_cli.page import __main__ as page
from xpm_cli.page.serving import open_page

read, script = os.pipe()
os.dup2(read, 0)
lives = []


class Life(page._Life):
    def __init__(self, parent):
        super().__init__(parent)
        lives.append(self)


made = open_page.OpenPage.__init__


def after_the_script(self, *args, **more):
    made(self, *args, **more)
    os.close(script)
    while not lives[0]._over:
        time.sleep(0.01)


page._Life, open_page.OpenPage.__init__ = Life, after_the_script
page.main(["--workspace", sys.argv[1], "--port", "0", "--parent", str(os.getppid())])
"""


def test_a_page_that_begins_after_its_script_has_ended_leaves_no_server_behind(tmp_path: Path) -> None:
    """It may be the last user of the server of the workspace, and then has to end it."""
    workspace = Workspace.open(tmp_path / "ws")
    env = {name: value for name, value in os.environ.items() if name != "XPM_REDIS_URL"}
    ended = subprocess.run([sys.executable, "-c", LATE, str(workspace.path)], env=env, capture_output=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr
    record = ServerRecord.read(data_folder(workspace).path)
    assert record is None or not record.alive
