"""The schema of a whole file, by a validator's own program."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest
from helpers.yaml_files import write
from yaml_tasks import Many, Settings

from xpm_core.experiment_file.json_schema import schema

CHECKER = Path(sysconfig.get_path("scripts"), "check-jsonschema")
HEAD = "workspace: ws\nexperiment: digits\n"
VALUES = "config: {optimizer: {lr: 0.1}, epochs: 3}\n"


def accepted(folder: Path, cls: type | None, *texts: str) -> bool:
    """Whether files of these texts fit the schema."""
    files = [write(folder, {f"sweep{number}.yaml": text}) for number, text in enumerate(texts)]
    (folder / "schema.json").write_text(json.dumps(schema(cls)))
    done = subprocess.run(
        [CHECKER, "--schemafile", folder / "schema.json", *files], capture_output=True, text=True, timeout=60
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode == 0


def test_the_schema_is_one() -> None:
    for cls in (Settings, Many, None):
        schema(cls)
    done = subprocess.run([CHECKER, "--check-metaschema", "-"], input=json.dumps(schema(Many)), text=True, timeout=60)
    assert done.returncode == 0


def test_good_files_are_accepted(tmp_path: Path) -> None:
    assert accepted(
        tmp_path,
        Settings,
        HEAD + VALUES,
        f"{HEAD}workers: 2\nqueue: gpu\nrun: sweep.py\nenv: {{A: 1, B: b}}\npythonpath: [..]\n{VALUES}",
        "base: common.yaml\n",
        "base: [one.yaml, two.yaml]\nexperiment: e\nconfig: {epochs: {grid: [1, 2]}}\n",
        f"{HEAD}config: {{optimizer: {{lr: {{logspace: [1e-5, 1e-1, 5]}}}}, epochs: {{range: [1, 10, 2]}}}}\n",
    )
    assert accepted(tmp_path, Many, HEAD, f"{HEAD}config:\n")
    assert accepted(tmp_path, None, HEAD)


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        f"{HEAD}{VALUES}parent: common.yaml\n",
        f"experiment: e\n{VALUES}",
        f"{HEAD}workers: many\n{VALUES}",
        f"{HEAD}config: {{optimizer: {{lr: fast}}, epochs: 3}}\n",
        f"{HEAD}config: {{optimizer: {{lr: 0.1}}, epoch: 3}}\n",
        f"{HEAD}config: {{optimizer: {{lr: 0.1}}}}\n",
        "base: common.yaml\nconfig: {epochs: three}\n",
        "base: 3\n",
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str) -> None:
    assert not accepted(tmp_path, Settings, text)
