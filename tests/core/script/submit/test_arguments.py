"""Arguments that an experiment cannot work with, or does not have, are refused where they are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.playground import Stage

from xpm_core import experiment
from xpm_core.errors import (
    ExperimentError,
)

pytestmark = pytest.mark.redis


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": -1}, "workers=-1"),
        ({"workers": True}, "workers=True"),
        ({"workers": 1.5}, "workers=1.5"),
        ({"port": "12346"}, "port='12346'"),
        ({"port": -1}, "port=-1"),
        ({"port": 70000}, "port=70000"),
        ({"lease_s": 0}, "lease_s=0"),
        ({"lease_s": "30"}, "lease_s='30'"),
        ({"lease_s": float("nan")}, "lease_s=nan"),
        ({"redis": 6379}, "redis=6379"),
        ({"code": "today"}, "experiment(code='today'): expected 'snapshot' or 'live'"),
        ({"code": True}, "code=True"),
    ],
    ids=str,
)
def test_option_that_cannot_work_is_refused_where_it_is_given(
    options: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError) as caught:
        experiment(tmp_path / "workspace", "x", **options)  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert not (tmp_path / "workspace").exists()


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ({"n_workers": 2}, r"experiment\(\): unknown argument 'n_workers'\. Did you mean 'workers'\?"),
        (
            {"xyz": 2},
            r"unknown argument 'xyz'\. There are: workdir, name, port, redis, workers, .*, on_code_change, dry_run\.",
        ),
        ({"launcher": 2}, r"unknown argument 'launcher'\. Start workers there"),
    ],
)
def test_argument_that_an_experiment_does_not_have_is_refused(stage: Stage, argument: Any, words: str) -> None:
    with pytest.raises(ExperimentError, match=words) as caught:
        experiment(stage.workspace.path, "x", **argument)
    assert "test_arguments.py:" in str(caught.value)
