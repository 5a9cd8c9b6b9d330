"""The keys of a file, and what an unknown one is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.yaml_files import document

from xpm_core.errors import ExperimentFileError
from xpm_core.experiment_file.content.keys import INSTEAD, KEYS


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("parent", "sweep.yaml:2: unknown key 'parent'. Write base: FILE.yaml, with its ending."),
        ("id", "Write experiment: NAME."),
        ("module", "Write run: MODULE:run."),
        ("title", "Write it as a comment: # ..."),
        ("grid_search", "Write the values where the parameter stands: lr: {grid: [0.1, 0.01]}."),
        ("wrokers", "sweep.yaml:2: unknown key 'wrokers'. Did you mean 'workers'?"),
        ("lr", "If it is a value of the configuration, write it below config:."),
    ],
)
def test_an_unknown_key_is_told_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExperimentFileError) as caught:
        document(tmp_path, f"experiment: e\n{key}: 1\n")
    assert said in str(caught.value)


def test_no_key_is_known_and_unknown() -> None:
    assert not set(KEYS) & set(INSTEAD)
