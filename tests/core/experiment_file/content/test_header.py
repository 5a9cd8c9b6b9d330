"""What a file says of its experiment beside the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.yaml_files import document, write

from xpm_core.errors import ExperimentFileError
from xpm_core.experiment_file.content import merging
from xpm_core.experiment_file.content.header import header_of, target_of


def test_all_that_can_be_said(tmp_path: Path) -> None:
    text = "workspace: ../ws\nexperiment: digits\nworkers: 2\nqueue: gpu\nenv: {OMP_NUM_THREADS: 1, A: b}\ncode: live\n"
    header = header_of(document(tmp_path / "a", text))
    assert header == (tmp_path / "ws", "digits", 2, "gpu", {"OMP_NUM_THREADS": "1", "A": "b"}, "live")
    assert header_of(document(tmp_path, "experiment: digits\n")) == (None, "digits", None, None, {}, None)
    assert header_of(document(tmp_path, "experiment: digits\n"), "other").experiment == "other"


def test_paths_lie_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {
            "a/sweep.yaml": "base: ../b/common.yaml\nexperiment: e\n",
            "b/common.yaml": "workspace: ws\nrun: train.py\npythonpath: [src, ..]\n",
        },
    )
    found = merging.read(file)
    assert header_of(found).workspace == tmp_path / "b" / "ws"
    target = target_of(found)
    assert (target.folder, target.pythonpath) == (tmp_path / "b", [tmp_path / "b" / "src", tmp_path])


def test_home_and_absolute_paths_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert header_of(document(tmp_path, "workspace: ~/ws\nexperiment: e\n")).workspace == tmp_path / "ws"
    assert header_of(document(tmp_path, "workspace: /data/ws\nexperiment: e\n")).workspace == Path("/data/ws")


def test_a_name_of_the_users_settings_wins_over_a_folder_beside_the_file_and_a_mistyped_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    write(tmp_path / "config" / "xpm", {"settings.toml": f'[workspaces]\nlearning = "{tmp_path}/data"\n'})
    (tmp_path / "study" / "learning").mkdir(parents=True)
    named = header_of(document(tmp_path / "study", "experiment: e\nworkspace: learning\n"))
    assert named.workspace == tmp_path / "data"
    assert caplog.messages[0].startswith(f"The workspace learning is {tmp_path}/data, by ")
    folder = header_of(document(tmp_path / "study", "experiment: e\nworkspace: ./learning\n"))
    assert folder.workspace == tmp_path / "study" / "learning"
    with pytest.raises(ExperimentFileError) as caught:
        header_of(document(tmp_path / "study", "experiment: e\nworkspace: learnign\n"))
    assert "sweep.yaml:2: workspace: 'learnign': no workspace has this name" in str(caught.value)
    assert "Did you mean 'learning'?" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("workspace: w\n", "sweep.yaml:1: it has no key 'experiment'. Write experiment: NAME."),
        ("experiment: 42\n",
         "sweep.yaml:1: experiment: expected a text, got 42 (int). If it is meant as a text, quote it."),
        ("experiment: e\nworkspace: [a]\n", "sweep.yaml:2: workspace: expected a text, got ['a'] (list). Correct it."),
        ("experiment: a b\n", "sweep.yaml:1: experiment: "),
        ("experiment: e\nqueue: a/b\n", "sweep.yaml:2: queue: "),
        ("experiment: e\n\nworkers: many\n",
         "sweep.yaml:3: workers: expected a number from 0 to 10000, got 'many' (str)."),
        ("experiment: e\nworkers: true\n", "sweep.yaml:2: workers: expected a number"),
        ("experiment: e\ncode: today\n", "sweep.yaml:2: code: expected 'snapshot' or 'live', got 'today' (str)."),
        ("experiment: e\ncode:\n", "sweep.yaml:2: code: expected 'snapshot' or 'live', got None (NoneType)."),
        ("experiment: e\nenv: [A]\n", "sweep.yaml:2: env: expected variables and their values, got ['A'] (list)."),
        ("experiment: e\nenv:\n  A: true\n",
         'sweep.yaml:3: env: expected a text as the value of \'A\', got True (bool). Quote it'),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExperimentFileError) as caught:
        header_of(document(tmp_path, text))
    assert said in str(caught.value)


def test_folders_are_texts(tmp_path: Path) -> None:
    with pytest.raises(
        ExperimentFileError, match=r"pythonpath: expected a folder, or a list of folders, got 3 \(int\)"
    ):
        target_of(document(tmp_path, "pythonpath: [3]\n"))


def test_a_name_that_cannot_be_is_refused_where_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(ExperimentFileError) as caught:
        header_of(document(tmp_path, "workspace: w\nexperiment: a b\n"))
    assert str(caught.value).startswith(f"{tmp_path}/sweep.yaml:2: experiment: experiment 'a b': expected 1 to 100")
    assert str(caught.value).endswith("with a letter or digit first. Choose another name.")
    with pytest.raises(ExperimentFileError, match=r"^--experiment: experiment 'c d': expected 1 to 100"):
        header_of(document(tmp_path, "workspace: w\nexperiment: e\n"), "c d")
