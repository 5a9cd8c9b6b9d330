"""Submissions that are one job although they differ in what does not count: the script names them, once a kind."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from helpers.playground import Stage
from twin_tasks import Data, Later, Shape, Study, Wrong

from xpm_core import grid, setmeta, tag

pytestmark = pytest.mark.redis


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What was logged."""
    caplog.set_level(logging.WARNING, "xpm")
    return caplog


def told(warnings: pytest.LogCaptureFixture) -> list[str]:
    """The warnings about submissions that are one job."""
    return [message for message in warnings.messages if "are one job" in message]


def submitted(stage: Stage, *tasks: Any) -> None:
    """Submit tasks in one run that is not waited for."""
    with stage.broken():
        for task in tasks:
            task.submit()


def test_sweep_over_files_is_named_at_once_and_at_the_end(
    stage: Stage, warnings: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    note, name = stage.note(), stage.name()
    with stage.experiment(name) as xp:
        for file in ("a.csv", "b.csv", "c.csv"):
            Study.C(note=note, file=tag(Path(file))).submit()
        assert len(xp.tracker.jobs) == 1
        (message,) = told(warnings)
    place = r"\S*test_twins\.py:\d+"
    assert re.fullmatch(
        rf"Study\.file: 'a\.csv' at {place} and 'b\.csv' at {place} are one job, Study/[0-9a-f]{{7}}, which gets the "
        rf"first: paths do not count in the identity\. If the result depends on it, add a parameter that counts, such "
        rf"as its name\.",
        message,
    ), message
    last = capsys.readouterr().err.splitlines()[-2:]
    assert last[0].startswith(f"{name}  1 done")
    assert re.fullmatch(
        r"note    2 submissions are no jobs of their own: they differ from another in Study\.file, which does not "
        r"count, such as 'b\.csv' and 'a\.csv'",
        last[1],
    ), last


def test_many_of_a_kind_are_named_once(stage: Stage, warnings: pytest.LogCaptureFixture) -> None:
    note = stage.note()
    submitted(stage, *(Study.C(note=note, file=tag(Path(f"{n}.csv"))) for n in range(1000)))
    assert len(told(warnings)) == 1


def test_each_kind_is_named(stage: Stage, warnings: pytest.LogCaptureFixture) -> None:
    note = stage.note()
    submitted(stage, *(Study.C(note=note, file=Path(f"{n}"), threads=n + 1) for n in range(3)))
    assert [message.split(":")[0] for message in told(warnings)] == ["Study.file", "Study.threads"]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("Study.data.file", ({"data": Data.C(name="d", file=Path("a"))}, {"data": Data.C(name="d", file=Path("b"))})),
        ("Study.data.files[1]", tuple({"data": Data.C(name="d", files=[Path("a"), Path(x)])} for x in "bc")),
        ("Study.data.verbose", tuple({"data": Data.C(name="d", verbose=n)} for n in (0, 1))),
        ("Study.anything", tuple({"anything": Path(x)} for x in "ab")),
        ("Study.anything['k'][0]", tuple({"anything": {"k": [Path(x)]}} for x in "ab")),
        ("Study.either", tuple({"either": Path(x)} for x in "ab")),
        ("Study.mixed['k'][1]", tuple({"mixed": {"k": (1, Path(x))}} for x in "ab")),
        ("Study.places", tuple({"places": {(1, Path(x))}} for x in "ab")),
        ("Study.data.files", tuple({"data": Data.C(name="d", files=[Path("a")] * n)} for n in (1, 2))),
        ("Study.options['b']", ({"options": {"a": 1, "b": 2}}, {"options": {"b": 3, "a": 1}})),
        ("Study.shape.unit", tuple({"shape": Shape(1, x)} for x in "ab")),
        ("Study.threads", ({}, {"threads": 2})),
        ("Study.hidden", tuple({"hidden": Data.C(name=x)} for x in "de")),
        ("Study.hidden", ({}, {"hidden": Data.C(name="d")})),
        ("Study.data", tuple({"data": setmeta(Data.C(name=x), True)} for x in "de")),
        ("Study.result", ({}, {"result": Path("mine")})),
    ],
)
def test_what_differs_and_does_not_count_is_named_by_path(
    stage: Stage, warnings: pytest.LogCaptureFixture, path: str, values: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    note = stage.note()
    submitted(stage, *(Study.C(note=note, **given) for given in values))
    (message,) = told(warnings)
    assert message.startswith(f"{path}: "), message
    assert ("paths do not count" in message) == ("Path(" in str(values)), message


def test_values_of_a_grid_are_named_and_not_their_tags(stage: Stage, warnings: pytest.LogCaptureFixture) -> None:
    note, files = stage.note(), {"small": [Path("a"), Path("b")], "large": [Path("a"), Path("c")]}
    submitted(stage, *(Study.C(note=note, data=Data.C(name="d", **given)) for given in grid({"files": files})))
    (message,) = told(warnings)
    assert message.startswith("Study.data.files[1]: 'b' at ")


def test_tag_of_another_value_is_named(stage: Stage, warnings: pytest.LogCaptureFixture) -> None:
    note = stage.note()
    submitted(stage, *(Study.C(note=note).tag("variant", variant) for variant in ("old", "new")))
    (message,) = told(warnings)
    assert message.startswith("Study, tag 'variant': 'old' at "), message
    assert "tags do not count in the identity" in message


def test_two_equal_submissions_are_not_named(stage: Stage, warnings: pytest.LogCaptureFixture) -> None:
    note = stage.note()
    same = Study.C(note=note, file=Path("a"))
    data = {"name": "d", "files": [Path("a")]}
    submitted(
        stage,
        same,
        same,
        Study.C(note=note, file=Path("a")),
        Study.C(note=note, file="a", threads=1, data=None),
        *(Study.C(note=f"{note}, options", options=options) for options in ({"a": 1, "b": 2}, {"b": 2, "a": 1})),
        *(Study.C(note=f"{note}, places", places={(1, Path("a"))}, shape=Shape(1, "m")) for _ in range(2)),
        *(Study.C(note=f"{note}, data", data=Data.C(**data), hidden=Data.C(**data)) for _ in range(2)),
    )
    assert told(warnings) == []


def test_tag_that_only_one_has_is_not_named(stage: Stage, warnings: pytest.LogCaptureFixture) -> None:
    note = stage.note()
    submitted(stage, Study.C(note=tag(note)), Study.C(note=note))
    assert told(warnings) == []


def test_what_a_task_needs_is_named_for_that_task_alone(stage: Stage, warnings: pytest.LogCaptureFixture) -> None:
    note = stage.note()
    with stage.broken():
        for file in "ab":
            Later.C(study=Study.C(note=note, file=Path(file)).submit()).submit()
    (message,) = told(warnings)
    assert message.startswith("Study.file: ")


def test_jobs_that_were_done_before_are_named_too(stage: Stage, warnings: pytest.LogCaptureFixture) -> None:
    note = stage.note()
    with stage.experiment():
        Study.C(note=note, file=Path("a")).submit()
    assert told(warnings) == []
    with stage.experiment():
        for file in "ab":
            Study.C(note=note, file=Path(file)).submit()
    assert len(told(warnings)) == 1


def test_report_of_failures_names_them_too(stage: Stage) -> None:
    note = stage.note()
    with stage.failing() as failing:
        for file in "ab":
            Wrong.C(note=note, file=Path(file)).submit()
    line = next(line for line in failing.report.splitlines() if line.startswith("note "))
    assert "1 submission is no job of its own: it differs from another in Wrong.file" in line


@pytest.mark.parametrize(
    ("first", "second", "option", "values"),
    [
        ({}, {"queue": "large"}, "option 'queue'", "'default' at .* and 'large'"),
        ({"priority": 3}, {}, "option 'priority'", "3 at .* and 0"),
        ({"max_retries": 1}, {"max_retries": 2}, "option 'max_retries'", "1 at .* and 2"),
        ({}, {"min_time": 60}, "option 'min_time'", "0 at .* and 60"),
        ({"env": {"A": "1"}}, {"env": {"A": "2"}}, "option 'env'", ".*'1'.* at .* and .*'2'.*"),
    ],
)
def test_other_options_of_the_same_job_are_named(
    stage: Stage,
    warnings: pytest.LogCaptureFixture,
    first: dict[str, Any],
    second: dict[str, Any],
    option: str,
    values: str,
) -> None:
    note = stage.note()
    with stage.broken():
        Study.C(note=note, file=Path("other")).submit()
        Study.C(note=note, either="x").submit(**first)
        Study.C(note=note, either="x").submit(**second)
    [message] = told(warnings)
    assert re.match(rf"Study, {option}: {values} at ", message), message
    assert message.endswith("it does not count in the identity. Give the first submission the right one.")


def test_the_same_options_again_are_no_difference(stage: Stage, warnings: pytest.LogCaptureFixture) -> None:
    note = stage.note()
    with stage.broken():
        for options in ({}, {"priority": 0}, {"env": {}}, {}):
            Study.C(note=note, file=Path("a")).submit(**options)
        for _ in range(2):
            Study.C(note=note, either="x").submit(priority=5, env={"A": "1"})
    assert told(warnings) == []


def test_other_tokens_of_the_same_job_are_named(stage: Stage, warnings: pytest.LogCaptureFixture) -> None:
    note = stage.note()
    with stage.broken() as broken:
        token = broken.connector.createtoken(stage.name(), 4)
        for units in (1, 2):
            Study.C(note=note).add_dependencies(token.dependency(units)).submit()
    [message] = told(warnings)
    assert re.match(r"Study, tokens: \{'[^']*': 1\} at .* and \{'[^']*': 2\} at ", message), message
