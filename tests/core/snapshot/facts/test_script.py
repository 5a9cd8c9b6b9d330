"""How a script was started is found in each way to start one, and no secret is written down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from helpers.secret_words import names, values
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.snapshot.facts import script
from xpm_core.snapshot.facts.packages import packages_document
from xpm_core.snapshot.facts.script import script_facts, variables
from xpm_core.snapshot.provenance import Provenance

PROGRAM = "import json\nfrom xpm_core.snapshot.facts.script import script_facts\nprint(json.dumps(script_facts()))\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sweep.py").write_text(PROGRAM)
    package = tmp_path / "lab"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(PROGRAM)
    (package / "train.py").write_text(PROGRAM)
    program = tmp_path / "lab-train"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}")
    program.chmod(0o755)
    return tmp_path


def said(folder: Path, *words: str, **environment: str) -> dict[str, Any]:
    ended = subprocess.run(
        words, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_a_script_is_named_by_its_whole_path(folder: Path) -> None:
    found = said(folder, sys.executable, "sweep.py", "--lr", "0.1", "--api-key", "x", OMP_NUM_THREADS="3")
    assert found["script"] == str(folder / "sweep.py")
    assert found["arguments"] == ["--lr", "0.1", "--api-key", "***"]
    assert (found["folder"], found["variables"]["OMP_NUM_THREADS"]) == (str(folder), "3")
    provenance = Provenance("", [], **found)
    assert Provenance.read(provenance.written()) == provenance


def test_each_way_to_start_is_told_apart(folder: Path) -> None:
    assert said(folder, str(folder / "lab-train"), "x")["script"] == str(folder / "lab-train")
    assert said(folder, sys.executable, "-m", "lab.train", "x")["script"] == "python -m lab.train"
    assert said(folder, sys.executable, "-m", "lab", "x")["script"] == "python -m lab"
    by_text = said(folder, sys.executable, "-c", PROGRAM, "x")
    assert (by_text["script"], by_text["arguments"]) == ("python -c", ["x"])


def test_a_file_that_is_run_by_the_program_is_named_with_it(folder: Path) -> None:
    text = "workspace: runs\nexperiment: digits\nrun: sweep:run\n"
    (folder / "grid.yaml").write_text(text)
    (folder / "sweep.py").write_text(
        "import json, sys\n"
        "from xpm_core.config import Config\n"
        "from xpm_core.snapshot.facts.script import script_facts\n"
        "class Grid(Config):\n"
        "    pass\n"
        "def run(xp, config: Grid):\n"
        "    print(json.dumps(script_facts()), file=sys.stderr)\n"
    )
    program = Path(sys.executable).with_name("xpm")
    ended = subprocess.run([program, "run", "grid.yaml", "--dry-run"], cwd=folder, capture_output=True, text=True)
    found = json.loads(next(line for line in ended.stderr.splitlines() if line.startswith("{")))
    assert (found["script"], found["arguments"]) == (f"xpm run {folder / 'grid.yaml'}", [])


def test_a_notebook_has_no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "in_notebook", lambda: True)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert (script_facts()["script"], script_facts()["arguments"]) == ("", [])
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/digits.ipynb")
    assert script_facts()["script"] == "/home/me/digits.ipynb"


def test_the_packages_are_named_by_the_digest_of_their_document() -> None:
    assert script_facts()["packages"] == sha256(packages_document()).hexdigest()


def test_only_variables_of_the_list_are_recorded() -> None:
    environment = {"HOME": "/home/me", "PYTHONHASHSEED": "0", "XPM_REDIS_URL": "redis://a:b@c", "XPM_SIGNING_KEY": "k"}
    assert variables(environment) == {
        "PYTHONHASHSEED": "0", "XPM_REDIS_URL": "redis://***@c", "XPM_SIGNING_KEY": "***"
    }  # fmt: skip


def test_many_and_long_arguments_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["sweep.py", "x" * 5000, *map(str, range(300))])
    arguments = script_facts()["arguments"]
    assert len(arguments) == 201
    assert arguments[0] == "x" * 1000 + "…"
    assert arguments[-1] == "… and 101 more"


def test_a_folder_that_was_removed_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert script_facts()["folder"] == ""


secrets_given = st.lists(
    st.one_of(
        st.builds(lambda name, value: [f"--{name}={value}"], names, values),
        st.builds(lambda name, value: [f"--{name.strip('-')}", value], names, values),
        st.builds(lambda name, value: [f"{name}={value}"], names, values),
        st.builds(lambda value: [f"redis://u:{value}@host"], values),
        st.just(["--lr", "0.1"]),
    ),
    max_size=6,
)


@given(secrets_given, names, values)
def test_no_secret_is_in_the_written_document(given: list[list[str]], name: str, value: str) -> None:
    saved = sys.argv
    sys.argv = ["sweep.py", *(word.replace("\0", "") for words in given for word in words)]
    try:
        facts = {
            **script_facts(),
            "variables": variables({"XPM_SIGNING_KEY": value, "XPM_REDIS_URL": f"a://b:{value}@c"}),
        }
    finally:
        sys.argv = saved
    written = Provenance("", [], **facts).written()
    assert b"S3cr3t" not in written
    assert "S3cr3t" not in json.dumps(json.loads(written), ensure_ascii=False)
