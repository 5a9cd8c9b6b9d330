"""`xpm checklist`: what a paper must state of an experiment."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import AWAY

from xpm_core.index.writers import RemovalWriter
from xpm_core.states import State
from xpm_core.workspace.experiment_directory import Sampling

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]
HOUR_S = 3600.0
MACHINE = {
    "cpu": "AMD EPYC 7543",
    "cores": 16,
    "memory_bytes": 64 * 10**9,
    "gpus": ["A100", "A100"],
    "driver": "nvidia 550",
}


def ran(hours: float = 1.0, devices: str | None = "0,1", **more: Any) -> dict[str, Any]:
    """What the record of an attempt says of its time and its machine."""
    found = {"started_s": 1000.0, "ended_s": 1000.0 + hours * HOUR_S, "cpu_s": hours * HOUR_S / 2, "machine": MACHINE}
    return {**found, **({} if devices is None else {"devices": {"CUDA_VISIBLE_DEVICES": devices}}), **more}


def end(lab: Lab, name: str, state: State = State.DONE, **record: Any) -> None:
    """Let a job end, with a record that has more."""
    lr, _, seed = name.partition("-")
    lease = lab.start(
        name, params={"name": "all", "lr": float(lr), "seed": int(seed), "split_seed": 7}, tags={"lr": float(lr)}
    )
    lab.finish(name, lease, state, None if state is State.DONE else ERROR, **record)


def facts(xpm: Xpm, experiment: str = "sweep") -> dict[str, Any]:
    """The JSON form."""
    found: dict[str, Any] = json.loads(xpm("checklist", experiment, "--json").stdout)
    return found


@pytest.fixture
def swept(lab: Lab) -> Lab:
    """Two rates with two seeds. One job has failed, and one was done, retried, and is done again."""
    for name in ("0.1-1", "0.1-2", "0.01-1"):
        end(lab, name, **ran(), results={"accuracy": 0.9})
    end(lab, "0.01-2", State.FAILED, **ran(0.5, devices="1"))
    again = lab.directory("0.1-1")
    record = {"reason": "done", "host": "node1", "python": "3.12.4", **ran(2.0)}
    again.write_record(again.prepare(2), "again", record)
    again.write_marker("done", "again")
    return lab


def test_attempts_that_failed_or_were_replaced_are_counted_and_their_hours(swept: Lab, xpm: Xpm) -> None:
    found = facts(xpm)
    assert found["jobs"]["states"] == {"done": 3, "failed": 1}
    assert found["attempts"] == {
        "total": 5, "counting": 3, "discarded": {"replaced": 1, "failed": 1}, "unrecorded": 0,
    }  # fmt: skip
    compute = found["compute"]
    assert (compute["hours"], compute["cpu_hours"], compute["device_hours"]) == pytest.approx((5.5, 2.75, 10.5))
    assert compute["hours_that_count"] == pytest.approx(4.0)
    (train,) = compute["tasks"]
    assert (train["results"], train["hours_per_result"]) == (3, pytest.approx(4 / 3))
    assert train["hours_per_result_with_discarded"] == pytest.approx(5.5 / 3)


def test_error_bars_whose_width_has_stopped_the_sampling_are_named(swept: Lab, xpm: Xpm) -> None:
    assert facts(xpm)["sampling"] == []
    experiment = swept.workspace.experiment("sweep")
    ends = [(("0.1-1", "0.1-2"), 3, "width"), (("0.01-1", "0.01-2"), 2, "width"), (("0.1-1",), 1, "limit")]
    for metric, (names, n, why) in zip(("accuracy", "accuracy", "loss"), ends, strict=True):
        jobs = frozenset(swept.directory(name).identity for name in names)
        experiment.keep_sampling(Sampling(metric, ("seed",), 0.1, 20, why, n, jobs))
    few = frozenset([swept.directory("0.1-1").identity, "f" * 64, "e" * 64])
    experiment.keep_sampling(Sampling("recall", ("seed",), 0.1, 20, "width", 3, few))
    found = facts(xpm)["sampling"]
    assert [(each["n"], each["why"]) for each in found] == [(3, "width"), (2, "width"), (1, "limit")]
    assert found[0] == {
        "task": "Train", "metric": "accuracy", "over": ["seed"], "width": 0.1, "most": 20, "why": "width", "n": 3,
    }  # fmt: skip
    page = xpm("checklist", "sweep").stdout
    assert (
        "- Train: the width of the interval stopped 2 samplings of accuracy, at n=2 and n=3. "
        "There the level of intervals holds only roughly.\n"
    ) in page[page.index("### Error bars") : page.index("### Packages")]


def test_page_is_markdown_that_says_so(swept: Lab, xpm: Xpm) -> None:
    page = xpm("checklist", "sweep").stdout
    for said in (
        "## sweep\n\n### Runs\n\n- 4 jobs: 3 done, 1 failed.",
        "- 5 attempts ended: 3 count; 2 do not (1 replaced, 1 failed).",
        "- In total 5.5 h of attempts, 2.8 h of processors, 10.5 h of devices.",
        "| Train | 5 | 5.5 | 2.8 | 10.5 | 3 | 1.3 | 1.8 |",
        "| node1 | AMD EPYC 7543 | 16 | 64.0 GB | 2 x A100 | nvidia 550 | - |"
        " CUDA_VISIBLE_DEVICES=0,1 (4), CUDA_VISIBLE_DEVICES=1 (1) | 5 | 5.5 |",
        "| Train | lr | 0.01, 0.1 | 2 |",
        "- Train: seed varies (1, 2).",
        "- Train: split_seed is the same in all (7).",
        "- Train: 2 configurations, 1 to 2 done each. seed varied. `xpm results sweep --over seed` gives means",
        "- Train: split_seed did not vary, so no error bar contains what depends on it.",
        "- 3 jobs: Python 3.12.4, packages not known.",
    ):
        assert said in page


def test_hours_of_devices_are_unknown_where_a_record_does_not_say_them(lab: Lab, xpm: Xpm) -> None:
    end(lab, "0.1-1", **ran(devices=None))
    assert facts(xpm)["compute"]["device_hours"] is None
    assert "hours of devices are not known" in xpm("checklist", "sweep").stdout
    end(lab, "0.1-2", **ran(3.0))
    compute = facts(xpm)["compute"]
    assert (compute["device_hours"], compute["devices_unknown"]) == (pytest.approx(6.0), 1)
    page = xpm("checklist", "sweep").stdout
    assert ", at least 6.0 h of devices (1 attempt does not say which they saw)." in page
    assert "| Train | 2 | 4.0 | 2.0 | at least 6.0 |" in page


def test_hours_of_processors_that_a_record_lacks_are_said(lab: Lab, xpm: Xpm) -> None:
    end(lab, "0.1-1", **ran(cpu_s=None))
    note = "Attempts whose record does not say their hours of processors: 1. The sum lacks these."
    assert note in facts(xpm)["notes"]


@pytest.mark.parametrize(("devices", "count"), [("", 0), ("-1", 0), ("3", 1), ("GPU-a,GPU-b", 2)])
def test_devices_are_counted(lab: Lab, xpm: Xpm, devices: str, count: int) -> None:
    end(lab, "0.1-1", **ran(devices=devices))
    assert facts(xpm)["compute"]["device_hours"] == pytest.approx(count)


def test_code_of_results_is_told_apart_and_other_code_is_not_named(lab: Lab, xpm: Xpm) -> None:
    for name, digest in (("0.1-1", "a"), ("0.1-2", "b")):
        end(lab, name, **ran(code={"snapshot": digest * 64, "provenance": ""}, git={"commit": "1" * 40, "dirty": True}))
    end(lab, "0.1-3", State.FAILED, **ran(code={"snapshot": "c" * 64, "provenance": ""}))
    assert [each["snapshot"] for each in facts(xpm)["code"]] == ["a" * 64, "b" * 64]
    page = xpm("checklist", "sweep").stdout
    assert "snapshot aaaaaaa, commit 111111111111, with files that differed from it." in page
    assert "The results are of 2 versions of the code." in page


def test_what_is_not_known_is_said(lab: Lab, xpm: Xpm) -> None:
    end(lab, "0.1-1")
    end(lab, "0.1-2", **ran())
    for file in (lab.directory("0.1-2").path / ".xpm" / "executions").iterdir():
        file.unlink()
    notes = " ".join(facts(xpm)["notes"])
    assert "Attempts whose record does not say how long they took: 1." in notes
    assert "Done jobs without a record of the attempt that counts: 1." in notes
    assert "Attempts that have left no record: 1." in notes


def test_a_running_job_has_no_attempt_that_is_missing(lab: Lab, xpm: Xpm) -> None:
    lab.start("a")
    found = facts(xpm)
    assert found["attempts"]["unrecorded"] == 0
    assert "Jobs that have not ended: 1. The facts are those of now." in found["notes"]


def test_jobs_that_the_latest_run_does_not_name_are_counted(lab: Lab, xpm: Xpm) -> None:
    for name in ("0.1-1", "0.1-2"):
        end(lab, name, **ran())
    assert facts(xpm)["jobs"]["given_up"] is None
    run = lab.workspace.experiment("sweep").new_run()
    run.name_jobs([])
    run.name_jobs([lab.identity("0.1-2")])
    assert facts(xpm)["jobs"]["given_up"] is None  # it may name the other one, too
    run.end()
    assert facts(xpm)["jobs"]["given_up"] == 1
    assert (
        "- 1 job of earlier runs that the latest run of the script does not name." in xpm("checklist", "sweep").stdout
    )


def test_jobs_that_were_removed_are_counted(lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    end(lab, "0.1-1", **ran())
    end(lab, "0.1-2", State.FAILED, **ran())
    RemovalWriter(lab.workspace.path, "gc").add(lab.identity("0.1-2"), time.time() + HOUR_S)
    monkeypatch.setenv("XPM_REDIS_URL", AWAY)  # this server still has the job
    assert facts(xpm)["jobs"]["removed"] == 1


def test_experiment_without_jobs_has_a_page(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a", experiment="other")
    result = xpm("checklist", "sweep")
    assert result.exit_code == 0
    assert "- 0 jobs: none." in result.stdout
    assert "### Error bars\n\nThere is no job.\n" in result.stdout
    assert "latest run" not in result.stdout


def test_unknown_experiment_is_an_error(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a")
    result = xpm("checklist", "swep")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Experiment 'swep': not in this workspace" in result.stderr
