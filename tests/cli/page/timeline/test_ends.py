"""The ends that workers have written: each is an execution, whatever became of the job later."""

from __future__ import annotations

from pathlib import Path

from xpm_cli.page.timeline.ends import EndFiles
from xpm_core.index.entries import End, ended_line, removed_line
from xpm_core.index.folders import ends_folder, removals_folder
from xpm_core.states import State


def end(execution: str, *, worker: str = "w.0", state: State = State.DONE, started_s: float = 1.0) -> End:
    return End(state, 2.0, started_s, "node1", worker, execution, 1)


def write(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def test_files_are_read_on_and_each_end_of_a_job_counts(tmp_path: Path) -> None:
    files, path = EndFiles(tmp_path), ends_folder(tmp_path) / "w.0.jsonl"
    assert files.read_on() == []
    write(path, ended_line("a", end("e1")), ended_line("a", end("e2")))
    assert [each.execution for each in files.read_on()] == ["e1", "e2"]
    assert files.read_on() == []
    with open(path, "a", encoding="utf-8") as file:
        file.write(ended_line("b", end("e3"))[:20])
    assert files.read_on() == []
    with open(path, "a", encoding="utf-8") as file:
        file.write(ended_line("b", end("e3"))[20:] + "\n")
    assert [each.execution for each in files.read_on()] == ["e3"]
    assert files.hosts == {"w.0": "node1"}


def test_only_executions_of_workers_of_this_workspace_count(tmp_path: Path) -> None:
    folder = ends_folder(tmp_path)
    write(folder / "imported-x.jsonl", ended_line("a", end("e1", worker="elsewhere")))
    write(folder / "rebuilt-x.jsonl", ended_line("b", end("e2")))
    write(folder / "xpm-head-0.jsonl", ended_line("c", End(State.CANCELLED, 3.0)), '{"again": 3, "id": "c"}')
    write(folder / "w.0.jsonl", ended_line("d", end("e4", started_s=0.0)), "damaged", "[]", ended_line("e", end("e5")))
    files = EndFiles(tmp_path)
    assert [each.execution for each in files.read_on()] == ["e2", "e5"]
    assert files.unseen == 1


def test_jobs_that_were_removed_are_left_out(tmp_path: Path) -> None:
    write(ends_folder(tmp_path) / "w.0.jsonl", ended_line("a", end("e1")), ended_line("b", end("e2")))
    write(removals_folder(tmp_path) / "me.jsonl", removed_line("a", 5.0))
    assert [each.execution for each in EndFiles(tmp_path).read_on()] == ["e2"]


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    files, path = EndFiles(tmp_path), ends_folder(tmp_path) / "w.0.jsonl"
    write(path, ended_line("a", end("e1")))
    files.read_on()
    path.rename(path.with_suffix(".old"))
    write(path, ended_line("a", end("e1")), ended_line("b", end("e2")))
    assert [each.execution for each in files.read_on()] == ["e1", "e2"]
