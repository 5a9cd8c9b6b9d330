"""`xpm reproduce`: a finished job again with the code that it ran with, and what it writes compared."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.kept_runs import STUDY, KeptRuns
from helpers.typed_commands import PROGRAM, Shell
from helpers.user_scripts import open_terminal
from helpers.waiting import PATIENCE_S

from xpm_cli.output.sheets.reproduction_sheet import Reproduction, lines
from xpm_cli.output.terminal import Terminal
from xpm_core.labels import short
from xpm_core.reproduction.comparison import MOST_BYTES, Compared, Written

TASK = "[Train.C(lr=tag(0.5), model=Model.C())]"
RANDOM = STUDY.replace("self.lr * FACTOR", "__import__('random').random()")


class Bench:
    """Past runs, and a folder in which commands are typed. There is no server."""

    def __init__(self, folder: Path) -> None:
        self.runs = KeptRuns(folder)
        self.folder = folder
        self.shell = Shell(folder, "", folder / "home")

    def reproduce(self, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
        """Type `xpm reproduce`."""
        return self.shell.run("reproduce", *words, "--workspace", self.runs.workspace.path, away=True, **more)

    def documents(self, *words: object) -> dict[str, Any]:
        """The JSON form."""
        found: dict[str, Any] = json.loads(self.reproduce(*words, "--json").stdout)
        return found

    def state(self) -> dict[str, Any]:
        """All that the workspace holds."""
        return {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino, path.read_bytes() if path.is_file() else b"")
            for path in sorted(self.runs.workspace.path.rglob("*"))
        }


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_job_gives_the_same_again_after_its_checkout_was_deleted(bench: Bench) -> None:
    [identity] = bench.runs.run(TASK)
    shutil.rmtree(bench.runs.project)
    before = bench.state()
    result = bench.reproduce(short(identity))
    assert result.returncode == 0, result.stderr
    assert bench.state() == before
    folder = bench.folder / f"reproduce-{short(identity)}"
    assert [line.split() for line in result.stdout.splitlines()[:2]] == [
        ["FILE", "RESULT", "THEN", "NOW"],
        ["result.json", "equal", "25", "B", "25", "B"],
    ]
    assert result.stdout.splitlines()[-1] == "1 file, all files are equal"
    assert f"folder      {folder}\ncode        snapshot " in result.stderr
    assert json.loads((folder / "job" / "result.json").read_text()) == {"score": 1.5, "rows": 3}
    assert {path.name for path in folder.iterdir()} == {
        "README.md", "code", "job", "params.json", "requirements.txt", "run",
    }  # fmt: skip
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "code" / "checkout" / "study.py").read_text() == STUDY
    assert f"pytest=={pytest.__version__}" in (folder / "requirements.txt").read_text().splitlines()
    assert json.loads((folder / "params.json").read_text())["identity"] == identity


def test_code_of_then_runs_though_the_checkout_has_changed(bench: Bench) -> None:
    bench.runs.run(TASK)
    bench.runs.write("scale.py", "FACTOR = 300\n")
    bench.runs.write("data.csv", "1\n")
    assert bench.reproduce("last").returncode == 0
    live = bench.reproduce("last", "--code", "live", "--into", "live")
    assert live.returncode == 1
    assert "not pinned  today's files run." in live.stderr
    [line] = [each for each in live.stdout.splitlines() if each.startswith("result.json")]
    assert line.split(None, 1)[1].startswith("differs in numbers, by 0.99 at most")


def test_code_of_then_runs_though_a_folder_of_pythonpath_has_the_same_modules(bench: Bench) -> None:
    bench.runs.run(TASK)
    (bench.folder / "other").mkdir()
    (bench.folder / "other" / "scale.py").write_text("FACTOR = 300\n")
    result = bench.reproduce("last", PYTHONPATH=str(bench.folder / "other"))
    assert result.stdout.splitlines()[-1] == "1 file, all files are equal", result.stdout


def test_job_that_writes_no_file_is_not_said_to_be_equal(bench: Bench) -> None:
    bench.runs.write("study.py", STUDY.replace('Path("result.json").write_text(', "print("))
    bench.runs.run(TASK)
    found = bench.documents("last")
    assert (found["files"], found["equal"], found["exit_code"]) == ([], None, 0)
    bench.runs.write("study.py", STUDY)
    said = bench.reproduce("last", "--into", "again")
    assert (said.returncode, "nothing was compared" in said.stdout) == (0, True)


def test_result_that_depends_on_chance_differs_and_files_are_named(bench: Bench) -> None:
    bench.runs.write("study.py", RANDOM)
    [identity] = bench.runs.run(TASK)
    directory = bench.runs.workspace.job("study:Train", identity).path
    (directory / "only then.txt").write_text("x")
    result = bench.reproduce("last", "--into", "one")
    assert result.returncode == 1
    found = bench.documents("last", "--into", "two")
    assert (found["equal"], found["exit_code"]) == (False, 0)
    assert [(each["path"], each["result"]) for each in found["files"]] == [
        ("only then.txt", "missing"),
        ("result.json", "differs"),
    ]
    assert 0 < found["files"][1]["relative_difference"] <= 1
    assert any(each["what"] == "seed" for each in found["unpinned"])


def test_where_large_files_differ_is_not_looked_for_and_this_is_said(tmp_path: Path) -> None:
    large, small = Written(MOST_BYTES + 1, "0" * 64), Written(9, "1" * 64)
    files = [Compared("large", "differs", large, small), Compared("small", "differs", small, small)]
    found = Reproduction("3f" * 32, "study:Train", "", tmp_path, [], 0, files)
    _, first, second, _ = lines(found, Terminal.of_stdout())
    assert ("differs, too large to say where" in first, "where" in second) == (True, False)


def test_job_that_fails_now_is_exit_code_1_and_its_error_is_shown(bench: Bench) -> None:
    bench.runs.write("study.py", STUDY.replace("import json", "import json, os").replace(
        "        data =", "        assert 'BREAK' not in os.environ\n        data ="
    ))  # fmt: skip
    bench.runs.run(TASK)
    assert bench.reproduce("last", "--into", "good").returncode == 0
    result = bench.reproduce("last", "--into", "bad", BREAK="1")
    assert result.returncode == 1
    assert "AssertionError" in result.stderr
    assert "result.json  missing" in result.stdout


def test_folder_can_be_moved_run_with_another_python_and_compared(bench: Bench) -> None:
    [identity] = bench.runs.run(TASK, env={"LAB": "it's", "odd.name": "a b"})
    shutil.rmtree(bench.runs.project)
    written = bench.reproduce("last", "--into", "first", "--no-run")
    assert (written.returncode, written.stdout) == (0, "")
    assert not (bench.folder / "first" / "job" / "result.json").exists()
    (bench.folder / "elsewhere").mkdir()
    moved = bench.folder / "elsewhere" / "with blanks"
    (bench.folder / "first").rename(moved)
    (bench.folder / "bin").mkdir()
    python = bench.folder / "bin" / "python"
    seen = r"""tr '\0' '\n' < /proc/$$/environ | grep -e ^LAB= -e ^odd > used"""
    python.write_text(f'#!/bin/sh\n{seen}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    ended = subprocess.run(
        [str(moved / "run"), "--quiet"],
        cwd=bench.folder,
        env=bench.shell.environment(PYTHON="bin/python"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted((moved / "job" / "used").read_text().splitlines()) == ["LAB=it's", "odd.name=a b"]
    assert f"WANDB_RUN_ID={identity[:16]}-{bench.runs.workspace.id}-reproduce" in (moved / "run").read_text()
    (moved / "job" / "used").unlink()
    compared = bench.reproduce(short(identity), "--into", moved, "--compare")
    assert (compared.returncode, compared.stdout.splitlines()[-1]) == (0, "1 file, all files are equal")
    (moved / "job" / "result.json").write_text("other")
    assert bench.reproduce(short(identity), "--into", moved, "--compare").returncode == 1


def test_readme_says_what_is_not_pinned_and_a_command_that_works(bench: Bench) -> None:
    bench.runs.run(TASK, record={"python": "3.1.4"})
    assert bench.reproduce("last", "--into", "it").returncode == 0
    text = (bench.folder / "it" / "README.md").read_text()
    assert text.startswith("# Train lr=0.5\n")
    assert f"- Python 3.1.4 then, {sys.version.split()[0]} here.\n" in text
    [command] = [line.strip() for line in text.splitlines() if line.startswith("    xpm reproduce")]
    environment = bench.shell.environment(XPM_REDIS_URL="unix:///nowhere")
    typed = subprocess.run(
        command, shell=True, cwd=bench.folder / "it", env=environment, capture_output=True, text=True, check=False
    )
    assert (typed.returncode, typed.stdout.splitlines()[-1]) == (0, "1 file, all files are equal"), typed.stderr


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"old": True}, "because a version without snapshots has submitted it: nobody knows which code ran."),
        ({"code": "live"}, "because it was submitted with code='live': nobody knows which code ran."),
    ],
)
def test_job_whose_code_was_not_kept_is_refused_and_runs_live_if_asked(
    bench: Bench, how: dict[str, Any], said: str
) -> None:
    bench.runs.run(TASK, **how)
    refused = bench.reproduce("last")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"no snapshot of its code was kept, {said} To run today's code instead: --code live" in refused.stderr
    assert not list(bench.folder.glob("reproduce-*"))
    live = bench.reproduce("last", "--code", "live")
    assert live.returncode == 0, live.stderr
    recorded = "which packages were installed is not recorded" in live.stderr
    assert recorded == ("old" in how)


def test_job_that_was_submitted_again_with_other_code_is_refused(bench: Bench) -> None:
    bench.runs.run(TASK, record={"code": {"snapshot": "ab" * 32}})
    refused = bench.reproduce("last")
    assert refused.returncode == 2
    assert "it ran the code of snapshot abababa, and was submitted again with code of snapshot " in refused.stderr
    assert bench.reproduce("last", "--code", "live").returncode == 0


def test_imported_job_runs_only_if_it_is_trusted(bench: Bench) -> None:
    [identity] = bench.runs.run(TASK)
    (bench.runs.workspace.job("study:Train", identity).path / ".xpm" / "imported.json").write_text("{}")
    refused = bench.reproduce("last")
    assert refused.returncode == 2
    assert f"Train/{short(identity)}: it was imported (a file), so somebody else decides" in refused.stderr
    assert "give --trust" in refused.stderr
    assert not list(bench.folder.glob("reproduce-*"))
    assert bench.reproduce("last", "--trust").returncode == 0


def test_snapshot_that_is_damaged_is_one_error_and_leaves_no_folder(bench: Bench) -> None:
    bench.runs.run(TASK)
    shutil.rmtree(bench.runs.workspace.path / "code" / "objects")
    result = bench.reproduce("last")
    assert result.returncode == 2
    assert "this content of a file of a snapshot is missing" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(bench.folder.glob("reproduce-*/*"))


def test_folder_that_is_not_empty_is_left_alone(bench: Bench) -> None:
    bench.runs.run(TASK)
    (bench.folder / "mine").mkdir()
    (bench.folder / "mine" / "notes.txt").write_text("keep")
    (bench.folder / "file").write_text("keep")
    for place, said in (("mine", "is not empty"), ("file", "is not a folder")):
        refused = bench.reproduce("last", "--into", place)
        assert (refused.returncode, f"/{place}: {said}." in refused.stderr) == (2, True)
    assert [path.name for path in (bench.folder / "mine").iterdir()] == ["notes.txt"]
    (bench.folder / "mine" / "notes.txt").unlink()
    assert bench.reproduce("last", "--into", "mine").returncode == 0
    other = bench.reproduce("last", "--into", "home", "--compare")
    assert (other.returncode, "is no folder in which job" in other.stderr) == (2, True)


@pytest.mark.parametrize("words", [["--compare"], ["--compare", "--no-run", "--into", "x"], ["--code", "then"]])
def test_options_that_do_not_go_together_are_usage_errors(bench: Bench, words: list[str]) -> None:
    assert bench.reproduce("last", *words).returncode == 2


def test_json_alone_is_printed_though_the_job_prints(bench: Bench) -> None:
    bench.runs.write("study.py", STUDY.replace("        data =", "        print('from the job')\n        data ="))
    bench.runs.run(TASK)
    result = bench.reproduce("last", "--json")
    assert json.loads(result.stdout)["equal"] is True
    assert "from the job" in result.stderr
    plain = bench.reproduce("last", "--into", "plain")
    assert plain.stdout.startswith("from the job\n")
    quiet = bench.reproduce("last", "--into", "quiet", "-q")
    assert "folder" not in quiet.stderr
    written = bench.documents("last", "--into", "written", "--no-run")
    assert (written["files"], written["equal"], written["exit_code"]) == (None, None, None)


def test_ctrl_c_ends_the_job_and_nothing_is_compared(bench: Bench) -> None:
    bench.runs.write("study.py", STUDY.replace("        data =", (
        "        import os, time\n        print('hangs', flush=True)\n"
        "        time.sleep(600 if 'HANG' in os.environ else 0)\n        data ="
    )))  # fmt: skip
    bench.runs.run(TASK)
    environment = bench.shell.environment(XPM_REDIS_URL="unix:///nowhere", HANG="1")
    words = ["reproduce", "last", "--workspace", str(bench.runs.workspace.path)]
    terminal = open_terminal(str(PROGRAM), *words, cwd=bench.folder, env=environment, columns=200, lines=60)
    terminal.shows("hangs")
    terminal.interrupt()
    assert terminal.ends() == 130
    assert "RESULT" not in terminal.out
