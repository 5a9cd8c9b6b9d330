"""The line for ssh that `xpm ui` prints, typed at a server of ssh: cookie, stream and forms go through it."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from helpers.ports import free_port
from helpers.served_page import Browser, ServedPage
from helpers.simulated_jobs import Lab
from helpers.waiting import wait_until

from xpm_core.reading.reader import Reader
from xpm_core.states import State

pytestmark = [pytest.mark.redis, pytest.mark.slow]

SEPARATED = Path("/run/sshd")
"""A folder that sshd wants to be there if root starts it."""


def listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def reached(tmp_path: Path) -> Iterator[Path]:
    """A server of ssh on this machine; returns the settings with which ssh reaches it as this user."""
    sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not (sshd and shutil.which("ssh") and shutil.which("ssh-keygen")):
        pytest.skip("no server of ssh is installed")
    made = os.geteuid() == 0 and not SEPARATED.exists()
    if made:
        SEPARATED.mkdir(mode=0o755)
    port, folder = free_port(), tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    served = f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
    (folder / "sshd").write_text(f"{served}StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\n")
    known = f"StrictHostKeyChecking no\nUserKnownHostsFile {folder}/known\nLogLevel ERROR\nBatchMode yes\n"
    reach = f"HostName 127.0.0.1\nPort {port}\nUser {getpass.getuser()}\nIdentityFile {folder}/user\n"
    (folder / "config").write_text(f"{reach}{known}ExitOnForwardFailure yes\n")
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd"], stderr=log)
    try:
        wait_until(lambda: listens(port) or process.poll() is not None)
        if process.poll() is not None:
            pytest.skip(f"sshd does not run here: {(folder / 'log').read_text()}")
        yield folder / "config"
    finally:
        process.terminate()
        process.wait()
        if made:
            with suppress(OSError):
                SEPARATED.rmdir()


@pytest.fixture
def through_ssh(lab: Lab, redis_url: str, reached: Path, tmp_path: Path) -> Iterator[Browser]:
    """A browser at the other end of the line that was printed. The port there may be taken, so it is another one."""
    words = ["--workspace", str(lab.workspace.path), "--redis", redis_url, "--allow-actions"]
    served = ServedPage(*words, cwd=tmp_path)
    ssh = None
    try:
        browser = served.is_up()
        (line,) = re.findall(r"^    (ssh -L 8080:.*)$", served.printed, re.MULTILINE)
        port = free_port()
        program, *typed = shlex.split(line.replace(":8080", f":{port}").replace("8080:", f"{port}:"))
        assert typed[-1] == socket.gethostname()
        ssh = subprocess.Popen([program, "-F", str(reached), "-N", *typed])
        wait_until(lambda: listens(port) or ssh.poll() is not None)
        assert ssh.poll() is None
        yield Browser(f"http://localhost:{port}/?{browser.query}")
    finally:
        if ssh is not None:
            ssh.terminate()
            ssh.wait()
        served.kill()


def test_page_stream_and_acts_go_through_the_line_that_is_printed(lab: Lab, through_ssh: Browser) -> None:
    identity = lab.submit("a")
    assert through_ssh.ask("/").status == 403
    entered = through_ssh.enter()
    assert (entered.status, entered.headers["location"]) == (303, "/")
    assert "HttpOnly" in entered.headers["set-cookie"]
    wait_until(lambda: identity[:7] in through_ssh.ask("/jobs").text)

    connection = through_ssh.connected()
    cookie = "; ".join(f"{name}={value}" for name, value in through_ssh.cookies.items())
    connection.request("GET", "/live", headers={"Host": through_ssh.host, "Cookie": cookie})
    stream = connection.getresponse()
    assert stream.readline().startswith(b"retry:")

    question = through_ssh.ask("/acting/cancel?filter=state=ready").text
    fields = dict(re.findall(r'name="(csrf|plan|digest)" value="([^"]+)"', question))
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    answer = through_ssh.ask("/acting/cancel", "POST", body, Origin=f"http://{through_ssh.host}")
    assert answer.status == 303
    assert "1 job was cancelled." in through_ssh.ask(answer.headers["location"]).text
    assert Reader(lab.client, lab.workspace.id).jobs.read([identity])[0].state is State.CANCELLED
    while not re.search(rf'"{identity}": ?"cancelled"', line := stream.readline().decode()):
        assert line, "the stream has ended"
    connection.close()
