"""`xpm run`, typed as a process: what runs, what is printed, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.typed_commands import PROGRAM, Shell
from helpers.user_scripts import Desktop
from helpers.yaml_files import write

pytestmark = pytest.mark.slow

CODE = """
import sys, time
from pathlib import Path
from xpm_core import Config, Meta, Param, Task, experiment, field

class Model(Config):
    layers: Param[int]

class Settings(Config):
    model: Param[Model]
    lr: Param[float]
    "The learning rate"
    amp: Param[bool] = False

class Prepare(Task):
    def execute(self):
        pass

class Learn(Task):
    data: Param[Prepare]
    model: Param[Model]
    lr: Param[float]
    amp: Param[bool] = False

    def execute(self):
        import os
        print("learned", self.lr, os.environ.get("GREETING"))

class Bad(Task):
    def execute(self):
        raise ValueError("no good")

class Hold(Task):
    until: Meta[Path]

    def execute(self):
        Path("started").touch()
        while not self.until.exists():
            time.sleep(0.01)

def run(xp, config: Settings):
    print("the user's own words", sys.argv[1:])
    data = Prepare.C().submit()
    Learn.C(data=data, model=config.model, lr=config.lr, amp=config.amp).submit()

def every(xp, configs: list[Settings]):
    data = Prepare.C().submit()
    for config in configs:
        Learn.C(data=data, model=config.model, lr=config.lr).submit()
    print("all done", bool(xp.wait()), len(configs))

def bad(xp):
    Bad.C().submit()

def broken(xp):
    return helper()

def helper():
    return {}["nothing"]

def reads(xp):
    prepare = Prepare.C().submit()
    xp.wait()
    print((prepare.jobpath / "loss.json").read_text())

def cut(xp):
    raise BrokenPipeError(32, "the user's own pipe")

def wrong(xp):
    Learn.C(lr="fast")

def holds(xp):
    Hold.C(until=Path(__file__).parent / "go").submit()

if __name__ == "__main__":
    with experiment("script_ws", "digits", workers=1) as xp:
        run(xp, Settings.C(model=Model.C(layers=1), lr=0.1))
"""

VALUES = "config:\n  model: {layers: {grid: [1, 2]}}\n  lr: 0.1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the file of the function, and a YAML file."""
    write(tmp_path / "study", {"experiment.py": CODE, "sweep.yaml": f"workspace: ws\nexperiment: digits\n{VALUES}"})
    return tmp_path / "study"


@pytest.fixture
def own(folder: Path) -> Shell:
    """A shell in that folder; no server is named."""
    return Shell(folder, "", folder.parent / "home")


def yaml(folder: Path, name: str, more: str = "") -> str:
    """Write another file, for another function; returns its name."""
    write(folder, {f"{name}.yaml": f"workspace: ws\nexperiment: digits\nrun: experiment.py:{name}\nworkers: 1\n{more}"})
    return f"{name}.yaml"


def identities(workspace: Path) -> set[str]:
    return {path.name for path in (workspace / "jobs").glob("*/*")}


@pytest.mark.redis
def test_the_jobs_of_all_combinations_run_once_with_tags_and_variables(shell: Shell, folder: Path) -> None:
    (folder / "sweep.yaml").write_text(f"{(folder / 'sweep.yaml').read_text()}workers: 2\nenv: {{GREETING: hello}}\n")
    done = shell.run("run", "sweep.yaml", "lr=0.5", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "digits  3 done" in done.stderr
    assert done.stdout == "the user's own words ['lr=0.5']\n" * 2
    printed = shell.run("jobs", "--task", "Learn", "-o", "json", "--workspace", "ws", cwd=folder)
    assert sorted(job["tags"]["layers"] for job in json.loads(printed.stdout)["jobs"]) == [1, 2]
    assert {file.read_text() for file in (folder / "ws").glob("jobs/*learn/*/learn.out")} == {"learned 0.5 hello\n"}
    again = shell.run("run", "sweep.yaml", "lr=0.5", "--workers", "0", cwd=folder)
    assert "3 done (3 reused)" in again.stderr
    dry = shell.run("run", "sweep.yaml", "lr=0.5", "model.layers={grid: [2, 3]}", "--dry-run", cwd=folder)
    assert dry.stdout.splitlines()[4] == "digits: 3 jobs: 2 reused, 1 new"
    assert [line.split()[1:] for line in dry.stdout.splitlines()[1:4]] == [
        ["Prepare", "reuse", "-"], ["Learn", "reuse", "layers=2"], ["Learn", "run", "layers=3"]
    ]  # fmt: skip


@pytest.mark.redis
def test_a_dry_run_tells_other_code_unless_the_file_asks_for_live_code(shell: Shell, folder: Path) -> None:
    assert shell.run("run", "sweep.yaml", "--workers", "2", cwd=folder).returncode == 0
    text = (folder / "experiment.py").read_text()
    (folder / "experiment.py").write_text(text.replace("learned", "has learned"))
    dry = shell.run("run", "sweep.yaml", "--dry-run", cwd=folder)
    assert "digits: 3 jobs: 3 reused (of these, 2 with other code)" in dry.stdout
    assert "note    2 reused jobs of Learn ran older code: experiment.py Learn.execute" in dry.stdout
    (folder / "sweep.yaml").write_text(f"{(folder / 'sweep.yaml').read_text()}code: live\n")
    assert "digits: 3 jobs: 3 reused\n" in shell.run("run", "sweep.yaml", "--dry-run", cwd=folder).stdout


@pytest.mark.redis
def test_identities_are_those_of_a_script_from_whatever_directory(shell: Shell, folder: Path, tmp_path: Path) -> None:
    environment = shell.environment()
    script = subprocess.run(
        [sys.executable, "experiment.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert script.returncode == 0, script.stderr
    wanted = identities(folder / "script_ws")
    words = ("--workers", "0", "--experiment", "again", "model.layers=1")
    for cwd, file in ((folder, "sweep.yaml"), (tmp_path, "study/sweep.yaml"), (Path("/"), folder / "sweep.yaml")):
        done = shell.run("run", file, *words, "--workspace", folder / "script_ws", cwd=cwd)
        assert done.returncode == 0, done.stderr
        assert "again  2 done (2 reused)" in done.stderr
    assert identities(folder / "script_ws") == wanted
    assert not (folder / "ws").exists()


@pytest.mark.redis
def test_a_function_of_all_configurations_is_called_once_and_can_wait(shell: Shell, folder: Path) -> None:
    done = shell.run("run", yaml(folder, "every", VALUES), cwd=folder)
    assert (done.returncode, done.stdout) == (0, "all done True 2\n"), done.stderr


@pytest.mark.redis
def test_a_failing_job_ends_it_with_the_report_and_1(shell: Shell, folder: Path) -> None:
    done = shell.run("run", yaml(folder, "bad"), cwd=folder)
    assert done.returncode == 1
    assert "digits  0 done   1 failed" in done.stderr
    assert "ValueError: no good" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.redis
def test_an_error_of_the_users_code_shows_the_users_lines(shell: Shell, folder: Path) -> None:
    done = shell.run("run", yaml(folder, "broken"), cwd=folder)
    assert done.returncode == 1
    frames = [line.split(",")[0].strip() for line in done.stderr.splitlines() if line.startswith("  File ")]
    assert frames == [f'File "{folder / "experiment.py"}"'] * 2
    assert done.stderr.endswith("KeyError: 'nothing'\n")
    assert "frames hidden that are not yours, --debug shows them" in done.stderr
    whole = shell.run("run", "broken.yaml", "--debug", cwd=folder)
    assert "experiment_file/prepared.py" in whole.stderr
    (folder / "experiment.py").write_text("import nowhere_at_all\n")
    broken = shell.run("run", "broken.yaml", "--dry-run", cwd=folder)
    assert broken.returncode == 1
    assert "experiment.py" in broken.stderr
    assert "importlib" not in broken.stderr


def test_a_broken_pipe_of_the_users_code_is_an_error_of_it(own: Shell, folder: Path) -> None:
    done = own.run("run", yaml(folder, "cut"), "--dry-run", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "BrokenPipeError: [Errno 32] the user's own pipe" in done.stderr


@pytest.mark.redis
def test_an_error_of_xpm_in_the_users_code_is_one_line(shell: Shell, folder: Path) -> None:
    done = shell.run("run", yaml(folder, "wrong"), cwd=folder)
    assert done.returncode == 1
    assert "Error: Learn.lr: expected float, got 'fast' (str), set at experiment.py:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_starts_no_server_and_makes_no_file(own: Shell, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    done = own.run("run", "sweep.yaml", "--dry-run", cwd=folder, PYTHONDONTWRITEBYTECODE="")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["ID", "TASK", "WOULD", "TAGS"]
    assert [line.split()[1:] for line in lines[1:4]] == [
        ["Prepare", "run", "-"], ["Learn", "run", "layers=1"], ["Learn", "run", "layers=2"]
    ]  # fmt: skip
    assert lines[4:] == ["digits: 3 jobs: 3 new", "  Prepare  1 job: 1 new", "  Learn    2 jobs: 2 new"]
    assert "the user's own words" in done.stderr
    assert sorted(folder.rglob("*")) == before
    wanted = own.run("run", "sweep.yaml", cwd=folder, PYTHONDONTWRITEBYTECODE="", XPM_DRY_RUN="1")
    assert (wanted.stdout, wanted.returncode) == (done.stdout, 0)
    data = json.loads(own.run("run", "sweep.yaml", "--dry-run", "--json", cwd=folder).stdout)
    assert (data["counts"]["new"], [job["fate"] for job in data["jobs"]]) == (3, ["new"] * 3)
    assert sorted(folder.rglob("*")) == before
    assert "--json goes with --dry-run" in own.run("run", "sweep.yaml", "--json", cwd=folder).stderr


def test_a_dry_run_says_where_it_cannot_go_on_and_which_grid_is_which_tag(own: Shell, folder: Path) -> None:
    done = own.run("run", yaml(folder, "every", VALUES), "--dry-run", cwd=folder)
    assert "3 jobs: 3 new" in done.stdout
    assert "all done True 2" in done.stderr, "waiting ends at once, and the script goes on"
    reads = own.run("run", yaml(folder, "reads"), "--dry-run", cwd=folder)
    assert "1 job: 1 new" in reads.stdout
    assert "this is a dry run, so it has not run, and loss.json is not there. Read its results only" in reads.stderr
    assert "What the function does after that is not known." in reads.stderr
    named = own.run("run", "sweep.yaml", "model={grid: {deep: {layers: 5}}}", "--dry-run", cwd=folder)
    assert named.stdout.splitlines()[2].split()[1:] == ["Learn", "run", "model=deep"]
    untagged = own.run("run", "sweep.yaml", "amp={grid: [true, false]}", "--dry-run", cwd=folder)
    assert "no task has the tag 'amp' of this grid. Give it to a task as tag(config.amp)" in untagged.stderr
    assert "layers" not in untagged.stderr


def test_the_schema_is_printed_for_editors(own: Shell, folder: Path) -> None:
    done = own.run("run", "sweep.yaml", "--schema", cwd=folder)
    schema = json.loads(done.stdout)
    assert schema["$defs"]["Settings"]["properties"]["lr"]["description"] == "The learning rate"
    assert sorted(os.listdir(folder)) == ["experiment.py", "sweep.yaml"]


@pytest.mark.parametrize(
    ("text", "words", "code", "said"),
    [
        ("parent: a.yaml\n", (), 2, "Error: sweep.yaml:1: unknown key 'parent'. Write base: FILE.yaml, with"),
        ("experiment: e\nworkspace: ws\nconfig: {lr: fast}\n", (), 2,
         "Settings.lr: expected float, got 'fast' (str), set at sweep.yaml:3."),
        ("experiment: e\nworkspace: ws\n", ("lr=fast",), 2, "set at the argument lr=fast."),
        ("experiment: e\nworkspace: ws\n", ("lr",), 2, "expected NAME=VALUE with the name of a parameter, got 'lr'."),
        (f"experiment: e\n{VALUES}", (), 2, "sweep.yaml:1: it has no key 'workspace'. Write workspace: DIRECTORY"),
        (f"experiment: e\nworkspace: experiment.py\n{VALUES}", (), 3, "is not a directory"),
        ("a: [\n", (), 2, "sweep.yaml:2: it is no YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_one_line(
    own: Shell, folder: Path, text: str, words: tuple[str, ...], code: int, said: str
) -> None:
    (folder / "sweep.yaml").write_text(text)
    done = own.run("run", "sweep.yaml", *words, cwd=folder)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(each for each in os.listdir(folder) if each != "__pycache__") == ["experiment.py", "sweep.yaml"]


def test_a_script_is_run_by_python(own: Shell, folder: Path) -> None:
    done = own.run("run", "experiment.py", "--dry-run", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "experiment.py is a script. Run it: python experiment.py. Do a dry run of it: XPM_DRY_RUN=1" in done.stderr


def test_a_file_that_is_not_there_is_named(own: Shell, folder: Path) -> None:
    done = own.run("run", "swep.yaml", cwd=folder)
    assert (done.returncode, done.stderr.startswith("Error: swep.yaml: cannot be read")) == (2, True)


def test_the_workspace_of_the_environment_counts_if_the_file_names_none(own: Shell, folder: Path) -> None:
    (folder / "sweep.yaml").write_text(f"experiment: e\n{VALUES}")
    done = own.run("run", "sweep.yaml", "--dry-run", cwd=folder, XPM_WORKSPACE="elsewhere")
    assert done.returncode == 0, done.stderr


@pytest.mark.redis
def test_ctrl_c_stops_watching_and_the_jobs_go_on(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    try:
        desktop.write("experiment.py", CODE)
        yaml(tmp_path, "holds")
        (tmp_path / "holds.yaml").write_text((tmp_path / "holds.yaml").read_text().replace("ws", "workspace"))
        running = desktop.start(PROGRAM, "run", "holds.yaml")
        desktop.wait_for(Hold="running")  # type: ignore[arg-type]  # it is equal to its word
        running.interrupt()
        assert running.ends() == 130
        assert "stopped watching. Its jobs go on" in running.err
        assert "Traceback" not in running.err
        (tmp_path / "go").touch()
        assert "1 done" in desktop.run(PROGRAM, "run", "holds.yaml").err
    finally:
        desktop.clear()
