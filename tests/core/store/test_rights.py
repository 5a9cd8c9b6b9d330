"""A user of the server with exactly the rights in docs/howto/redis.md: all works. With fewer rights, nothing begins."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from helpers.private_server import PrivateServer, running
from helpers.project_files import ROOT, files
from helpers.waiting import PATIENCE_S

from xpm_core.errors import RedisUnavailableError, RedisUnfitError
from xpm_core.server import connection
from xpm_core.server.binary import ServerProgram
from xpm_core.store import rights
from xpm_core.store.connector import connect

pytestmark = pytest.mark.redis

DOCUMENT = (ROOT / "docs" / "howto" / "redis.md").read_text()
TOLERATED = {"client|setinfo"}
"""Redis 7.0 has no such command; the client's library takes no for an answer."""

SCRIPT = """
import subprocess
from pathlib import Path
from xpm_core import *

class Step(Task):
    n: Param[int]
    def execute(self):
        progress(0.5)
        Path("n").write_text(str(self.n))

class Sum(Task):
    step: Param[Step]
    def execute(self):
        if self.step.n == 2:
            raise ValueError("no good")

class Never(Task):
    n: Param[int]
    def execute(self):
        pass

if __name__ == "__main__":
    with experiment("workspace", "x", workers=2) as xp:
        token = xp.connector.createtoken("gpu", 2)
        xp.connector.limitpasses(100)
        for n in range(4):
            step = Step.C(n=n)
            step.add_dependencies(token.dependency(1))
            Sum.C(step=step.submit()).submit()
        never = Never.C(n=1).submit(queue="nobody")
        subprocess.run(["xpm", "cancel", never.jobpath.name], check=True)
        for event in xp.events():
            print(event.event.value)
"""


def user(server: PrivateServer, *rules: str) -> str:
    """Make a user with these rights, and return the address with which it comes."""
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "bob", "reset", "on", ">word", *rules)
    return server.url.replace("unix://", "unix://bob:word@")


def lacking(server: PrivateServer, *rules: str) -> list[str]:
    with connection.open(user(server, *rules)) as client:
        return rights.missing(client)


def refusals(server: PrivateServer) -> set[str]:
    """What the server has refused so far."""
    with server.client() as client:
        return {entry["object"] for entry in client.acl_log()} - TOLERATED


@pytest.fixture(scope="module")
def server(server_program: ServerProgram) -> Iterator[PrivateServer]:
    with running(server_program) as server:
        yield server


def test_the_document_lists_what_is_looked_for() -> None:
    found = re.search(r"ACL SETUSER alice on '>PASSWORD' resetkeys (.*?)\n\n", DOCUMENT, re.DOTALL)
    assert found is not None
    assert tuple(found[1].replace("\\\n", " ").replace("'", "").split()) == rights.RULES


def test_every_command_of_our_scripts_is_listed() -> None:
    lua = "\n".join(path.read_text() for path in files(".lua", "xpm_core/store/lua"))
    called = re.findall(r"redis\.call\('(\w+)'|rq\.put\('\w+', '(\w+)'", lua)
    assert {(one or other).lower() for one, other in called} <= set(rights.COMMANDS)
    named = re.findall(r"redis\.p?call\((?!')([^,)]*)", lua)
    assert named == ["command"], "any other call by a variable may need a command that is not listed"


def test_a_user_with_the_listed_rights_lacks_nothing(server: PrivateServer) -> None:
    assert lacking(server, *rights.RULES) == []


@pytest.mark.parametrize("rule", [f"+{command}" for command in rights.COMMANDS if command not in ("eval", "evalsha")])
def test_each_right_that_lacks_is_named(server: PrivateServer, rule: str) -> None:
    assert lacking(server, *(each for each in rights.RULES if each != rule)) == [rule]


@pytest.mark.parametrize("prefix", rights.PREFIXES)
def test_keys_that_lack_are_named(server: PrivateServer, prefix: str) -> None:
    assert lacking(server, *(rule for rule in rights.RULES if rule != f"~{prefix}*")) == [f"~{prefix}*"]


def test_channels_that_lack_are_named(server: PrivateServer) -> None:
    rules = [rule for rule in rights.RULES if not rule.startswith("&")]
    assert "&rq:pubsub:*" in lacking(server, *rules)


def test_whoever_may_not_ask_is_shown_all_rules(server: PrivateServer) -> None:
    assert lacking(server, "+ping") == list(rights.RULES)


def test_with_less_nothing_begins(server: PrivateServer) -> None:
    url = user(server, *(rule for rule in rights.RULES if rule != "+xadd"))
    with pytest.raises(RedisUnfitError) as caught:
        connect(url)
    assert str(caught.value).endswith(": the user bob may not call XADD. Allow it: ACL SETUSER bob +xadd.")
    with server.client() as client:
        assert client.dbsize() == 0


def test_all_that_users_do_works_with_these_rights(fresh_server: Callable[..., PrivateServer], tmp_path: Path) -> None:
    server = fresh_server()
    folder = str(Path(sys.executable).parent)
    env = {**os.environ, "XPM_REDIS_URL": user(server, *rights.RULES), "PATH": f"{folder}:{os.environ['PATH']}"}
    env["XPM_WORKSPACE"] = "workspace"

    def run(*words: str) -> str:
        with open(tmp_path / "said", "w") as said:  # no pipe, which workers that live on would keep open
            subprocess.run(words, cwd=tmp_path, env=env, stdout=said, stderr=said, timeout=2 * PATIENCE_S)
        return (tmp_path / "said").read_text()

    (tmp_path / "script.py").write_text(SCRIPT)
    said = run(sys.executable, "script.py")
    assert re.search(r"7 done +1 failed +1 cancelled", said), said
    assert "1 failed" in run("xpm", "status")
    assert "Step" in run("xpm", "show", "last")
    run("xpm", "retry", "--failed", "--experiment", "x")
    assert refusals(server) == set()


def test_a_server_that_goes_away_while_it_is_asked_is_one_clear_error(
    server: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise redis.ConnectionError("Connection closed by server.")

    monkeypatch.setattr(rights.scripts, "run", gone)
    with pytest.raises(RedisUnavailableError, match=r"Connection closed by server\. Start it"):
        connect(server.url)
