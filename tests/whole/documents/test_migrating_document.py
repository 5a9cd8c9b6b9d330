"""Every example in docs/howto/migrating.md runs, and prints what stands there; the names in it exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.documents import blocks, play
from helpers.project_files import ROOT

import xpm_core
from xpm_core.config import Config, Task

DOCUMENT = ROOT / "docs" / "howto" / "migrating.md"

THEIR_NAMES = """
Action Annotated Any Array CLIInteraction Choices Config Constant DataPath DependentMarker DirectoryContext
DirtyGitAction DirtyGitError ExperimentInfo FailedExperiment GracefulExperimentExit GracefulTimeout Identifier
InstanceConfig Interaction Job Launcher LauncherRegistry LightweightTask Meta ObjectStore Option OptionalDataPath
Param ParameterGroup Partial PathGenerator PathSerializationLWTask Prepare ResumableTask RunMode STDERR STDOUT
Scheduler SerializationContext SerializationLWTask SubmitHook TagDict Task TaskCancelled TransientMode Workspace
cache config_only copyconfig deprecate deserialize documentation experiment field from_state_dict from_task_dir help
initializer load load_configs load_xp_info param_group partial pathgenerator progress save sealed_set serialize
set_launcher setmeta state_dict stop_tags tag tags tagspath tqdm
"""
"""What public code can import from experimaestro 2.7 itself."""

THEIR_MEMBERS = "XPMConfig XPMValue __xpm_serialize__ __xpmid__ xpmconfig"
"""Names on its classes and objects that public code uses beside those."""


@pytest.mark.redis
def test_examples_run_in_order_and_print_what_stands_there(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    play(DOCUMENT, tmp_path, {"XPM_REDIS_URL": redis_url})


def test_every_block_is_run_or_is_a_file() -> None:
    idle = [block for block in blocks(DOCUMENT) if block.kind not in ("python", "pycon", "console") and not block.file]
    assert idle == []


def test_what_is_the_same_is_there() -> None:
    rows = re.findall(r"^\| (`.*`) \| the same", DOCUMENT.read_text(), re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`\.?(\w+)(?:\(\))?`", row)}
    members = {name for cls in (Config, Task, type(Config), xpm_core.experiment) for name in dir(cls)}
    assert len(names) > 30
    assert names - members - set(xpm_core.__all__) == set()


def test_every_name_that_public_code_imports_is_told() -> None:
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+`", DOCUMENT.read_text()))))
    assert set(f"{THEIR_NAMES} {THEIR_MEMBERS}".split()) - told == set()
