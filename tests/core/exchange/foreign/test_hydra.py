"""Folders that Hydra makes: parameters from its YAML files, results from a file that the user's program writes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from xpm_core.errors import ExchangeError, YamlError
from xpm_core.exchange.foreign.hydra import read_hydra
from xpm_core.exchange.foreign.sheet import Sheet


def run(
    folder: Path, config: str | None, overrides: str | None = "[]\n", results: object = None, name: str = "results.json"
) -> Path:
    """A folder of a run."""
    (folder / ".hydra").mkdir(parents=True)
    for file, content in (("config.yaml", config), ("overrides.yaml", overrides)):
        if content is not None:
            (folder / ".hydra" / file).write_text(content)
    (folder / ".hydra" / "hydra.yaml").write_text("hydra: {}\n")
    if results is not None:
        (folder / name).write_text(results if isinstance(results, str) else json.dumps(results))
    return folder


def values(sheet: Sheet) -> list[dict[str, object]]:
    return [line.values for line in sheet.lines]


def test_runs_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 0):
        run(tmp_path / "12-00-00" / str(number), f"lr: 0.{number}\n", results={"accuracy": number})
    sheet = read_hydra(tmp_path)
    assert [line.where for line in sheet.lines] == ["12-00-00/0", "12-00-00/9", "12-00-00/10"]
    assert sheet.lines[1].folder == "12-00-00/9"
    assert values(sheet)[1] == {"config.lr": 0.9, "results.accuracy": 9}
    assert [column.role for column in sheet.columns.values()] == ["param", "result"]


def test_parameters_are_those_of_the_configuration_and_choices_of_groups(tmp_path: Path) -> None:
    overrides = "- optim.lr=1e-4\n- model=resnet\n- +extra=[1,2]\n- ~gone\n- hydra.job.num=3\n- db@backup=x\n"
    run(tmp_path / "0", "optim:\n  lr: 1e-4\n  when: no\nsizes: [64, 32]\n", overrides, {"a": 1})
    [found] = values(read_hydra(tmp_path))
    assert found == {
        "config.optim.lr": 1e-4,
        "config.optim.when": "no",
        "config.sizes": [64, 32],
        "config.model": "resnet",
        "config.extra": [1, 2],
        "config.db": "x",
        "results.a": 1,
    }


def test_overrides_alone_are_enough(tmp_path: Path) -> None:
    run(tmp_path / "0", None, "- lr=0.1\n- text=a=b\n- range={a:1}\n", {"a": 1})
    run(tmp_path / "1", "", "", {"a": 1})
    first, second = values(read_hydra(tmp_path))
    assert first == {"config.lr": 0.1, "config.text": "a=b", "config.range": "{a:1}", "results.a": 1}
    assert second == {"results.a": 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("results.json", '{"loss": {"test": 0.5}}'),
        ("metrics.json", '{"loss": {"test": 0.5}}'),
        ("results.csv", "loss.test\n0.5\n"),
        ("eval.yaml", "loss:\n  test: 0.5\n"),
    ],
)
def test_results_come_from_a_file_of_each_run(tmp_path: Path, name: str, content: str) -> None:
    run(tmp_path / "0", "lr: 1\n", results=content, name=name)
    given = name if name == "eval.yaml" else ""
    assert values(read_hydra(tmp_path, given))[0]["results.loss.test"] == 0.5


def test_runs_without_results_count_as_failed_and_are_named(tmp_path: Path) -> None:
    run(tmp_path / "0", "lr: 1\n", results={"a": 1})
    run(tmp_path / "1", "lr: 2\n")
    sheet = read_hydra(tmp_path)
    assert [line.failed for line in sheet.lines] == [False, True]
    assert sheet.notes == ["1 run has no results.json, and counts as failed: 1."]


def test_links_are_not_followed(tmp_path: Path) -> None:
    run(tmp_path / "sweep" / "0", "lr: 1\n", results={"a": 1})
    (tmp_path / "sweep" / "latest").symlink_to("0")
    (tmp_path / "sweep" / "loop").symlink_to(".")
    assert len(read_hydra(tmp_path / "sweep").lines) == 1


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    run(tmp_path / "0", "lr: 1\n", results={"a": 1})
    broken = run(tmp_path / "1", "lr: 1\nmodel: [a\nb: 2\n", results={"a": 1}) / ".hydra" / "config.yaml"
    with pytest.raises(YamlError, match=rf"{broken}:3: it is no YAML"):
        read_hydra(tmp_path)


def test_no_object_of_python_is_made(tmp_path: Path) -> None:
    run(tmp_path / "0", f"lr: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n", results={"a": 1})
    with pytest.raises(YamlError, match="it is no YAML"):
        read_hydra(tmp_path)
    assert not os.path.exists(tmp_path / "made")


@pytest.mark.parametrize(
    ("config", "overrides", "results", "name", "said"),
    [
        ("- 1\n", "[]", {"a": 1}, "", "expected a mapping"),
        ("{}", "a: 1\n", {"a": 1}, "", "expected a list"),
        ("{}", "- '=1'\n", {"a": 1}, "", "expected NAME=VALUE, got '=1'"),
        ("{}", "[]", "{broken", "", "results.json:1: it is no JSON"),
        ("{}", "[]", "[1]", "", "expected an object with results, got list"),
        ("{}", "[]", "", "", "it is empty"),
        ("{}", "[]", None, "", "none of its 1 run has results.json or metrics.json or results.csv"),
        ("{}", "[]", {"a": 1}, "eval.json", "none of its 1 run has eval.json"),
        ("{}", "[]", {"a": 1}, "../results.json", "expected a path within the folder of a run"),
        ("{}", "[]", {"a": 1}, "/etc/passwd", "expected a path within the folder of a run"),
    ],
)
def test_what_does_not_fit_is_one_error(
    tmp_path: Path, config: str, overrides: str, results: object, name: str, said: str
) -> None:
    run(tmp_path / "0", config, overrides, results)
    with pytest.raises(ExchangeError) as caught:
        read_hydra(tmp_path, name)
    assert said in str(caught.value)


def test_results_of_several_steps_are_refused(tmp_path: Path) -> None:
    run(tmp_path / "0", "{}", results="step,loss\n1,0.5\n2,0.4\n", name="results.csv")
    with pytest.raises(ExchangeError, match="expected one row of results, got 2"):
        read_hydra(tmp_path)


def test_a_folder_without_runs_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match="it has no folder of a run"):
        read_hydra(tmp_path)
    with pytest.raises(ExchangeError, match="it is no folder"):
        read_hydra(tmp_path / "none")


def test_the_digest_is_that_of_all_that_was_read(tmp_path: Path) -> None:
    run(tmp_path / "0", "lr: 1\n", results={"a": 1})
    first = read_hydra(tmp_path).digest
    assert read_hydra(tmp_path).digest == first
    (tmp_path / "0" / "results.json").write_text('{"a": 2}')
    assert read_hydra(tmp_path).digest != first


def test_a_numbered_folder_without_hydra_beside_runs_is_said(tmp_path: Path) -> None:
    run(tmp_path / "0", "lr: 0.1\n", results={"a": 1})
    (tmp_path / "1").mkdir()
    (tmp_path / "logs").mkdir()
    assert read_hydra(tmp_path).notes == ["1 numbered folder beside runs has no .hydra. Passed over: 1."]


def test_results_that_are_nested_too_deep_are_one_error(tmp_path: Path) -> None:
    run(tmp_path / "0", "lr: 0.1\n", results='{"x": ' * 3000 + "1" + "}" * 3000)  # Python 3.11 reads less
    with pytest.raises(ExchangeError, match="it is nested too deep"):
        read_hydra(tmp_path)
