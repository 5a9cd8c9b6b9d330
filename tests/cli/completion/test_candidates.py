"""Which words can come next, wherever in a command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from xpm_cli import main
from xpm_cli.app import Program
from xpm_cli.completion import candidates as completion
from xpm_cli.completion.command_table import command_table
from xpm_cli.completion.values import Candidate
from xpm_core.completion import server_names
from xpm_core.errors import WorkspaceError
from xpm_core.index.entries import End
from xpm_core.index.writers import EndWriter, IndexedJob, SubmissionWriter
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

TRAIN, OTHER, TEST = "3f2a91c" + "0" * 57, "3f2a91d" + "1" * 57, "9d01e44" + "2" * 57


@pytest.fixture(autouse=True)
def place(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with three jobs, which is the current directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("XPM_WORKSPACE", raising=False)
    monkeypatch.chdir(workspace.path)
    writer = SubmissionWriter(workspace.experiment("digits"), "run1")
    jobs = [(TRAIN, "m:Train", {"model": "svm", "lr": 0.1}), (OTHER, "m:Train", {"model": "mlp", "lr": 0.1})]
    writer.add([IndexedJob(*each, lambda: {"optim.rate": 1}) for each in (*jobs, (TEST, "m:Test", {}))])
    EndWriter(workspace.path, "w").add(TRAIN, End(State.FAILED, 4e9))
    return workspace.path


def after(*words: str) -> list[Candidate]:
    """What can take the place of the last word."""
    return completion.candidates(command_table(main), words[:-1], words[-1])


def words(*typed: str) -> list[str]:
    return [each.word for each in after(*typed)]


def test_commands_are_proposed_with_what_they_do() -> None:
    assert words("") == list(Program.homes)
    assert after("diff"[:2]) == [Candidate("diff", "List the parameters that make two identities differ, or the code.")]
    assert words("tokens", "") == ["set"]
    assert words("nothing", "") == []


def test_options_are_proposed_once_unless_they_can_be_repeated() -> None:
    assert words("jobs", "--st") == ["--state"]
    assert words("jobs", "--state", "done", "--st") == ["--state"]
    assert words("jobs", "--limit", "3", "--li") == []
    assert words("jobs", "--limit=3", "--li") == words("jobs", "-q", "--qui") == []
    assert "--workspace" in words("--")
    assert "-o" not in words("jobs", "--")
    assert words("debug", "--no") == ["--no-copy"]
    assert words("show", "--", "--") == []


def test_help_has_its_short_name_also_once_a_table_was_made() -> None:
    assert "-h" in words("show", "-h")
    shown = CliRunner().invoke(main, ["show", "-h"])
    assert shown.exit_code == 0, shown.output


def test_states_are_completed_also_in_lists_and_after_an_equals_sign() -> None:
    assert words("jobs", "--state", "") == [state.value for state in State]
    assert words("jobs", "--state", "failed,b") == ["failed,blocked"]
    assert words("jobs", "--state", "done,d") == ["done,delayed"]
    assert words("jobs", "--state=fa") == ["--state=failed"]
    assert words("jobs", "--nothing=fa") == words("jobs", "--limit", "") == []


def test_an_option_with_several_values_has_each_of_them_completed() -> None:
    for before in ([], ["model"], ["model", "lr"]):
        assert words("results", "digits", "--pivot", *before, "opt") == ["optim.rate"]
        assert words("results", "--range", "0", "1", "--pivot", *before, "opt") == ["optim.rate"]
    assert words("results", "--pivot", "model", "lr", "accuracy", "di") == ["digits"]
    assert words("results", "--pivot=model", "lr", "opt") == ["optim.rate"]
    assert words("results", "--range", "0", "1", "di") == ["digits"]
    assert words("results", "--range", "0", "di") == []


def test_snapshots_are_completed(place: Path) -> None:
    assert words("jobs", "--where", "code=") == ["code=live"]
    folder = place / "code" / "snapshots"
    folder.mkdir(parents=True)
    for digest in ("8c1f2e0" + "0" * 57, "9d1f2e0" + "0" * 57):
        (folder / digest).write_text("")
    assert words("jobs", "--where", "code=") == ["code=8c1f2e0", "code=9d1f2e0", "code=live"]
    assert words("jobs", "--where", "code=9") == ["code=9d1f2e0"]
    assert words("jobs", "--columns", "id,co") == ["id,code", "id,commit"]


def test_tags_are_completed_and_then_their_values() -> None:
    assert after("jobs", "--tag", "m") == [Candidate("model=", "tag", "part")]
    assert words("jobs", "--tag", "model=") == ["model=svm", "model=mlp"]
    assert words("jobs", "--tag", "lr=0.1,model=s") == ["lr=0.1,model=svm"]
    assert words("jobs", "--tag=model=s") == ["--tag=model=svm"]


def test_job_is_completed_by_its_identity_with_its_title() -> None:
    assert after("show", "3f2") == [
        Candidate("3f2a91c", "Train model=svm lr=0.1, failed"),
        Candidate("3f2a91d", "Train model=mlp lr=0.1"),
    ]
    assert words("show", "9D") == words("diff", "last", "9d") == words("retry", "last", "3f2a91c", "9d") == ["9d01e44"]
    assert words("diff", "--code", "9d") == words("retry", "--changed", "9d") == ["9d01e44"]
    assert words("show", "train/3f2a91c") == ["train/3f2a91c"]
    assert words("show", "test/3") == words("show", "last", "") == []


def test_job_is_completed_by_words_and_tags() -> None:
    assert words("show", "") == ["last", "failed", "3f2a91c", *words("show", "")[3:5], "model=", "lr="]
    assert words("why", "fa") == ["failed"]
    assert words("logs", "model=m") == ["model=mlp"]
    assert [each.kind for each in after("show", "./")] == ["dir"]


def test_other_values_are_completed_by_their_kind() -> None:
    assert words("jobs", "--task", "T") == ["Train", "Test"]
    assert words("graph", "") == words("jobs", "--experiment", "di") == words("wait", "d") == ["digits"]
    assert words("jobs", "--columns", "id,sta") == ["id,state", "id,started"]
    assert words("jobs", "--columns", "opt") == ["optim.rate"]
    assert words("jobs", "--sort", "state,-m") == ["state,-model"]
    assert words("jobs", "-o", "c") == ["csv"]
    assert words("jobs", "--where", "opt") == ["optim.rate="]
    assert words("jobs", "--where", "state=fa") == ["state=failed"]
    assert [each.kind for each in after("jobs", "--workspace", "")] == ["dir"]
    assert words("completion", "z") == ["zsh"]


def test_folders_are_completed_also_if_the_file_of_the_names_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "xpm").mkdir()
    (tmp_path / "xpm/settings.toml").write_text("[broken")
    assert [each.kind for each in after("-w", "")] == ["dir"]


def test_names_of_the_server_are_those_that_a_command_has_seen_last(place: Path) -> None:
    assert words("workers", "drain", "") == words("queues", "pause", "") == words("tokens", "set", "") == []
    server_names.note(place, server_names.WORKERS, ["node1-3f2a91c0.0", "node1-3f2a91c0.1", "gpu.0"])
    server_names.note(place, server_names.QUEUES, ["default", "long"])
    server_names.note(place, server_names.TOKENS, ["gpu"])
    daemon = "node1-3f2a91c0"
    for command in ("drain", "stop", "resume"):
        assert words("workers", command, "gpu", "no") == [daemon, f"{daemon}.0", f"{daemon}.1"]
    assert words("queues", "pause", "") == words("queues", "resume", "") == ["default", "long"]
    assert words("tokens", "set", "g") == ["gpu"]
    assert words("tokens", "set", "gpu", "") == []


def test_values_of_a_yaml_file_are_not_tags() -> None:
    assert [each.kind for each in after("run", "")] == ["file"]
    assert words("run", "sweep.yaml", "m") == words("run", "sweep.yaml", "lr=") == []


def test_workspace_is_the_one_that_is_named_on_the_line(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("XPM_WORKSPACE", str(tmp_path / "nowhere"))
    for given in (["--workspace", str(place)], [f"--workspace={place}"]):
        assert words(*given, "graph", "") == words("graph", *given, "") == ["digits"]
    assert words("graph", "") == []
    monkeypatch.delenv("XPM_WORKSPACE")
    with pytest.raises(WorkspaceError):
        words("show", "3f")


def test_table_is_made_anew_if_a_command_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    command_table(main)
    monkeypatch.setattr(Program, "homes", {"jobs": Program.homes["jobs"]})
    assert len(words("")) > 1  # from the cache
    monkeypatch.setattr("xpm_cli.completion.command_table._key", lambda: "changed")
    assert words("") == ["jobs"]


def test_number_of_a_citation_begins_with_an_experiment_and_a_result(place: Path) -> None:
    EndWriter(place, "w").add(OTHER, End(State.DONE, 4e9, results={"accuracy": 0.9}))
    assert after("cite", "d") == [Candidate("digits:", kind="part")]
    assert after("cite", "digits:a") == [Candidate("digits:accuracy", kind="part")]
    assert [each.word for each in after("results", "d")] == ["digits"]
