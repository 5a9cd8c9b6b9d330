"""Real shells load the script of `xpm completion`, and complete."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.typed_commands import PROGRAM, Shell
from helpers.user_scripts import open_terminal
from helpers.waiting import PATIENCE_S

from xpm_core.completion import server_names
from xpm_core.index.entries import End
from xpm_core.index.writers import EndWriter, IndexedJob, SubmissionWriter
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

FIRST, SECOND = "3f2a91c" + "0" * 57, "9d01e44" + "2" * 57

RULES = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
"""How each shell is started without the settings of its user."""

LOADS = {
    "bash": "PS1='> '; eval \"$(xpm completion bash)\"\n",
    "zsh": "PS1='> '; autoload -Uz compinit; compinit -u -D; eval \"$(xpm completion zsh)\"\n",
    "fish": "xpm completion fish | source\n",
}


def needed(program: str) -> str:
    """The path of a program. Without it, the test skips on a developer's machine, and fails in CI."""
    found = shutil.which(program)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"needs {program}")
    assert found, f"{program} is not installed"
    return found


@pytest.fixture
def typist(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in a workspace with a name and two jobs. There is no server; the address of one leads nowhere."""
    writer = SubmissionWriter(workspace.experiment("digits"), "run1")
    writer.add([IndexedJob(FIRST, "m:Train", {"model": "svm:2", "lr": 0.1}, dict)])
    writer.add([IndexedJob(SECOND, "m:Test", {"model": "svm:3"}, dict)])
    EndWriter(workspace.path, "w").add(FIRST, End(State.FAILED, 4e9))
    (workspace.path / "experiments/folder").mkdir()
    (tmp_path / "home/xpm").mkdir(parents=True)
    (tmp_path / "home/xpm/settings.toml").write_text(f'[workspaces]\nlab = "{workspace.path}"\n')
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    server_names.note(workspace.path, server_names.WORKERS, ["node1.0"])
    return Shell(workspace.path, "unix:///nowhere/redis.sock", tmp_path / "home")


CASES = [
    ("xpm sho", "xpm show "),
    ("xpm show 3f", "xpm show 3f2a91c "),
    ("xpm jobs --stat", "xpm jobs --state "),
    ("xpm jobs --state done,fa", "xpm jobs --state done,failed "),
    ("xpm jobs --state=fa", "xpm jobs --state=failed "),
    ("xpm jobs --tag mo", "xpm jobs --tag model="),
    ("xpm jobs --tag lr=", "xpm jobs --tag lr=0.1 "),
    ("xpm show model=svm:3", "xpm show model=svm:3 "),
    ("xpm jobs --columns id,sub", "xpm jobs --columns id,submitted "),
    ("xpm graph d", "xpm graph digits "),
    ("xpm -q tokens s", "xpm -q tokens set "),
    ("xpm -w la", "xpm -w lab "),
    ("xpm jobs -w fol", "xpm jobs -w folder/"),
    ("xpm workers drain node1.", "xpm workers drain node1.0 "),
]
"""What is typed, and what stands there after Tab."""


@pytest.mark.parametrize("shell", RULES)
def test_tab_completes_what_is_typed(typist: Shell, shell: str) -> None:
    needed(shell)
    folder = typist.folder / "experiments"
    environment = typist.environment(XDG_CACHE_HOME=str(typist.home))
    terminal = open_terminal(shutil.which("env") or "env", *RULES[shell], cwd=folder, env=environment, columns=120)
    try:
        terminal.type(LOADS[shell])
        terminal.type("echo is$((40 + 2)).\n" if shell != "fish" else "echo is(math 40 + 2).\n")
        terminal.shows("is42.")
        for typed, completed in CASES:
            terminal.type(f"{typed}\t")
            terminal.type("#\x01")  # where the cursor stood; then to the start of the line
            terminal.type("echo 'saw: \x05'\n")
            terminal.shows(f"\nsaw: {completed}#")
        terminal.type("exit\n")
        terminal.ends()
    finally:
        if terminal.process.poll() is None:
            terminal.kill()


def test_fish_shows_what_each_word_means(typist: Shell) -> None:
    fish = needed("fish")
    line = "xpm completion fish | source; complete -C 'xpm show '"
    result = subprocess.run(
        [fish, "--no-config", "-c", line],
        env=typist.environment(XDG_CACHE_HOME=str(typist.home)),
        cwd=typist.folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert "3f2a91c\tTrain model=svm:2 lr=0.1, failed" in result.stdout.splitlines()
    assert "last\tthe job that something happened to last" in result.stdout.splitlines()


def asked(typist: Shell, line: str, shell: str = "fish", **more: str) -> subprocess.CompletedProcess[str]:
    """What the program answers a shell."""
    environment = typist.environment(XDG_CACHE_HOME=str(typist.home), COMP_LINE=line, **more)
    environment["_XPM_COMPLETE"] = f"{shell}_complete"
    return subprocess.run(
        [str(PROGRAM)], env=environment, cwd=more.get("PWD", typist.folder), capture_output=True, text=True
    )


def test_answer_is_never_an_error(typist: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    lines = ["xpm show 3f", "xpm jobs --where 'lr>", 'xpm show "', "xpm nothing x", "", "X=1 xpm ", "xpm \\", "xpm é"]
    for number, line in enumerate(lines):
        for folder in (typist.folder, tmp_path / "empty"):
            result = asked(typist, line, list(RULES)[number % len(RULES)], PWD=str(folder))
            assert (result.returncode, result.stderr) == (0, ""), line


def test_no_server_is_started_and_nothing_is_written_into_the_workspace(typist: Shell) -> None:
    def files() -> dict[str, int]:
        return {str(path): path.lstat().st_mtime_ns for path in typist.folder.rglob("*")}

    before = files()
    assert "3f2a91c" in asked(typist, "xpm show ", XPM_REDIS_URL="").stdout
    assert files() == before


def test_script_is_that_of_the_users_shell(typist: Shell) -> None:
    result = typist.run("completion", SHELL="/usr/bin/zsh")
    assert (result.returncode, result.stdout) == (0, typist.run("completion", "zsh").stdout)
    assert result.stdout.startswith("#compdef xpm\n# Completion for xpm in zsh.")
    unknown = typist.run("completion", SHELL="/bin/tcsh")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "Name your shell: bash, zsh, fish." in unknown.stderr
