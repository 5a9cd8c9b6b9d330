"""Which workers a name means."""

from __future__ import annotations

import pytest

from xpm_core.errors import AmbiguousWorkerError, UnknownWorkerError
from xpm_core.reading.steering.named_workers import named
from xpm_core.reading.workers import WorkerState


def worker(name: str, host: str) -> WorkerState:
    return WorkerState(name, host, 1, ["default"], "/data", "1", 0.0, True, "", 0.0, 30.0)


WORKERS = [
    worker("gpu-a-1f21aa09.0", "gpu-a"),
    worker("gpu-a-1f21aa09.1", "gpu-a"),
    worker("gpu-a-1f21aa09.10", "gpu-a"),
    worker("m1-2e01bb44.0", "node7"),
    worker("m1-3d55cc00.1", "node7"),  # the same daemon: this slot had died
    worker("m12-4c66dd11.0", "node7"),
]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gpu-a-1f21aa09.1", [1]),
        ("gpu-a-1f21aa09", [0, 1, 2]),
        ("gpu-a", [0, 1, 2]),
        ("gp", [0, 1, 2]),
        ("gpu-a-1f", [0, 1, 2]),
        ("gpu-a-1f21aa09.10", [2]),
        ("m1-2e", [3]),
        ("m1", [3, 4]),
        ("m12", [5]),
        ("node7", [3, 4, 5]),
        ("n", [3, 4, 5]),
    ],
)
def test_a_name_means_a_slot_a_daemon_or_a_machine(name: str, found: list[int]) -> None:
    assert named(WORKERS, name) == [WORKERS[place] for place in found]


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("m", ("m1", "m1-2e01bb44", "m1-3d55cc00", "m12", "m12-4c66dd11")),
        ("gpu-a-1f21aa09.", ("gpu-a-1f21aa09.0", "gpu-a-1f21aa09.1", "gpu-a-1f21aa09.10")),
    ],
)
def test_a_beginning_that_fits_different_workers_is_refused_with_the_candidates(
    name: str, candidates: tuple[str, ...]
) -> None:
    with pytest.raises(AmbiguousWorkerError) as caught:
        named(WORKERS, name)
    assert caught.value.candidates == candidates


@pytest.mark.parametrize(
    ("name", "hint"), [("node8", "Did you mean node7?"), ("", "there is gpu-a, gpu-a-1f21aa09, m1, ")]
)
def test_a_name_that_fits_nothing_is_refused_with_the_near_ones(name: str, hint: str) -> None:
    with pytest.raises(UnknownWorkerError) as caught:
        named(WORKERS, name)
    assert hint in str(caught.value)
    with pytest.raises(UnknownWorkerError, match="there is none"):
        named([], name)
