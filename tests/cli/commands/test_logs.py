"""`xpm logs`: what a job has printed, on the streams that it went to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


@pytest.fixture
def talker(lab: Lab) -> str:
    """A job that printed something to both of its streams."""
    lab.end("talker")
    lab.directory("talker").out.write_bytes("".join(f"epoch {n}\n" for n in range(100)).encode() + b"last \xff")
    lab.directory("talker").err.write_bytes(b"warning\n")
    return lab.identity("talker")


def test_logs_come_out_of_the_streams_that_they_went_into(talker: str, xpm: Xpm) -> None:
    result = xpm("logs", talker)
    assert result.exit_code == 0
    assert result.stdout_bytes.startswith(b"epoch 0\n")
    assert result.stdout_bytes.endswith(b"epoch 99\nlast \xff")
    assert result.stderr == "warning\n"


@pytest.mark.parametrize(
    ("options", "out", "err"),
    [
        (["-n", "2"], b"epoch 99\nlast \xff", b"warning\n"),
        (["-n", "0"], b"", b""),
        (["--lines", "1", "--out"], b"last \xff", b""),
        (["--err"], b"", b"warning\n"),
    ],
)
def test_logs_can_be_a_part(talker: str, xpm: Xpm, options: list[str], out: bytes, err: bytes) -> None:
    result = xpm("logs", talker, *options)
    assert (result.exit_code, result.stdout_bytes, result.stderr_bytes) == (0, out, err)


def test_job_that_never_ran_has_no_log(lab: Lab, xpm: Xpm) -> None:
    result = xpm("logs", lab.submit("ready"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "it is ready, and has no log yet" in result.stderr
