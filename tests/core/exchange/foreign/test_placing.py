"""An import comes whole or not at all; the same one again changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpm_core.errors import ExchangeError, InvalidNameError, WorkspaceError
from xpm_core.exchange.foreign.csv_file import read_csv
from xpm_core.exchange.foreign.placing import Draft, draft, name_of
from xpm_core.exchange.foreign.roles import Asked, choose
from xpm_core.exchange.foreign.runs import runs_of
from xpm_core.results.foreign import file_of, foreign_runs, imports, names


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    return tmp_path / "workspace"


def drafted(
    workspace: Path,
    content: str = "lr,accuracy\n1,0.5\n",
    file: str = "runs.csv",
    experiment: str = "digits",
    name: str = "",
    asked: Asked = Asked(),  # noqa: B008  # it never changes
) -> Draft:
    path = workspace.parent / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    sheet = read_csv(path)
    return draft(workspace, sheet, runs_of(sheet, choose(sheet, asked)), experiment, name=name, task="", by="ana")


def test_the_same_again_changes_nothing(workspace: Path) -> None:
    first = drafted(workspace)
    assert (first.change, first.source.name, first.source.by) == ("new", "runs.csv", "ana")
    first.place(workspace)
    before = file_of(workspace, "runs.csv").stat()
    again = drafted(workspace)
    again.place(workspace)
    after = file_of(workspace, "runs.csv").stat()
    assert (again.change, after.st_mtime_ns, after.st_ino) == ("same", before.st_mtime_ns, before.st_ino)


def test_the_same_rows_from_another_place_are_the_same(workspace: Path) -> None:
    drafted(workspace).place(workspace)
    assert drafted(workspace, file="moved/runs.csv").change == "same"


def test_a_source_that_has_changed_replaces_its_rows(workspace: Path) -> None:
    drafted(workspace).place(workspace)
    changed = drafted(workspace, "lr,accuracy\n1,0.5\n2,0.6\n")
    assert changed.change == "replaced"
    changed.place(workspace)
    assert [run.params["lr"] for run in foreign_runs(workspace, "digits").runs] == [1, 2]


def test_other_columns_of_the_same_source_replace_its_rows(workspace: Path) -> None:
    drafted(workspace).place(workspace)
    assert drafted(workspace, asked=Asked(results=["lr"])).change == "replaced"


@pytest.mark.parametrize(
    ("content", "file", "experiment", "name", "said"),
    [
        ("a,loss\n1,2\n", "other/runs.csv", "digits", "", "has foreign rows of the name 'runs.csv', from "),
        ("lr,accuracy\n1,0.5\n", "runs.csv", "other", "", "its rows belong to 'digits' already"),
        ("lr,accuracy\n1,0.5\n", "runs.csv", "digits", "again", "it was imported already, as runs.csv"),
        ("lr,accuracy\n1,0.5\n", "copy.csv", "digits", "", "it was imported already, as runs.csv"),
    ],
)
def test_names_are_not_taken_twice(
    workspace: Path, content: str, file: str, experiment: str, name: str, said: str
) -> None:
    drafted(workspace).place(workspace)
    with pytest.raises(ExchangeError) as caught:
        drafted(workspace, content, file, experiment, name)
    assert said in str(caught.value)
    assert "--forget runs.csv" in str(caught.value)


def test_the_same_file_may_belong_to_a_second_experiment(workspace: Path) -> None:
    drafted(workspace).place(workspace)
    drafted(workspace, experiment="other", name="other.csv").place(workspace)
    assert [(each.name, each.experiment) for each in imports(workspace)] == [
        ("other.csv", "other"),
        ("runs.csv", "digits"),
    ]


@pytest.mark.parametrize(("experiment", "name"), [("../x", ""), ("", ""), ("digits", "a/b"), ("digits", ".hidden")])
def test_names_that_are_not_allowed_are_refused(workspace: Path, experiment: str, name: str) -> None:
    with pytest.raises(InvalidNameError):
        drafted(workspace, experiment=experiment, name=name)


def test_a_damaged_file_is_replaced(workspace: Path) -> None:
    drafted(workspace).place(workspace)
    file_of(workspace, "runs.csv").write_text("{")
    assert drafted(workspace).change == "replaced"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_workspace_that_cannot_be_written_is_one_error(workspace: Path) -> None:
    found = drafted(workspace)
    workspace.chmod(0o500)
    with pytest.raises(WorkspaceError):
        found.place(workspace)


def test_nothing_is_left_behind_if_it_cannot_be_written(workspace: Path) -> None:
    found = drafted(workspace)
    (workspace / ".xpm").write_text("a file is in the way")
    with pytest.raises(WorkspaceError, match="cannot be made"):
        found.place(workspace)
    assert names(workspace) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/runs.csv", "runs.csv"),
        ("/a/my runs (1).csv", "my-runs-1-.csv"),
        ("/a/multirun/2026-11-27/12-00-00", "2026-11-27-12-00-00"),
        ("/a/.hidden", "hidden"),
        ("/a/łódź", "d"),
        ("/a/実験", "runs"),
    ],
)
def test_an_import_is_called_as_its_source(path: str, name: str) -> None:
    assert name_of(Path(path)) == name
