"""`xpm logs`: what a job has printed, on the streams that it went to."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import Shell
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.store.records import WorkerId
from xpm_core.workspace.job_spec import Retries

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


def test_done_job_whose_directory_was_deleted_has_no_log_any_more(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    shutil.rmtree(lab.directory("a").path)
    result = xpm("logs", "last")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"it is done, but its logs are gone: {lab.directory('a').path}." in result.stderr


@pytest.fixture
def retried(lab: Lab) -> str:
    """A job that failed once, was retried, and is done: each attempt printed a line to both of its streams."""
    lease = lab.start("retried")
    for number, state in enumerate((State.FAILED, State.DONE), 1):
        directory = lab.directory("retried")
        directory.path.mkdir(parents=True, exist_ok=True)
        for file, kind in ((directory.out, "out"), (directory.err, "err")):
            with file.open("a") as stream:
                stream.write(f"{kind} of {number}\n")
        lab.finish("retried", lease, state, ERROR if state is State.FAILED else None, log_to=directory.log_sizes())
        if state is State.FAILED:
            lab.store.retry(lease.identity)
            lease = lab.claim(lease.identity)
    return lease.identity


@pytest.mark.parametrize("number", [1, 2])
def test_attempt_is_its_part_of_the_logs(retried: str, xpm: Xpm, number: int) -> None:
    result = xpm("logs", retried, "--attempt", number)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"out of {number}\n", f"err of {number}\n")
    assert xpm("logs", retried, "--attempt", number, "-n", 5, "--out").stdout == f"out of {number}\n"
    assert xpm("logs", retried).stdout == "out of 1\nout of 2\n"


def test_attempt_that_runs_is_what_comes_after_the_earlier_ones(lab: Lab, xpm: Xpm) -> None:
    lease = lab.start("again")
    out = lab.directory("again").out
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("out of 1\n")
    lab.finish("again", lease, State.FAILED, ERROR, log_to=lab.directory("again").log_sizes())
    assert xpm("logs", lease.identity, "--attempt", 2).exit_code == 2
    lab.store.retry(lease.identity)
    lab.claim(lease.identity)
    assert xpm("logs", lease.identity, "--attempt", 2).stdout == ""
    with out.open("a") as stream:
        stream.write("out of 2\n")
    assert xpm("logs", lease.identity, "--attempt", 2).stdout == "out of 2\n"


def test_attempt_that_never_was_is_an_error(retried: str, xpm: Xpm) -> None:
    result = xpm("logs", retried, "--attempt", 9)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "9" in result.stderr


@pytest.mark.parametrize("words", [[], ["name", "--state", "done"], ["--state", "done"], ["-f", "x", "--attempt", "1"]])
def test_words_that_do_not_fit_together_are_a_usage_error(xpm: Xpm, words: list[str]) -> None:
    assert xpm("logs", *words).exit_code == 2


def test_job_that_printed_nothing_says_so(lab: Lab, xpm: Xpm) -> None:
    lab.end("quiet")
    lab.directory("quiet").out.touch()
    result = xpm("logs", "last")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "it is done, and has printed nothing." in result.stderr


@pytest.mark.parametrize(("state", "code"), [(State.DONE, 0), (State.FAILED, 1)])
def test_follow_of_an_ended_job_prints_it_and_ends_as_it_did(lab: Lab, xpm: Xpm, state: State, code: int) -> None:
    lab.end("a", state, ERROR if code else None)
    lab.directory("a").out.write_text("epoch 1\n")
    result = xpm("logs", "-f", "last")
    assert (result.exit_code, result.stdout) == (code, "epoch 1\n")
    assert ("it has failed. See: xpm show" in result.stderr) == bool(code)


def test_follow_goes_on_through_a_retry_and_ends_with_the_job(shell: Shell, lab: Lab) -> None:
    lease = lab.start("a", retries=Retries(max_retries=1, backoff_s=0.01))
    directory = lab.directory("a")
    directory.path.mkdir(parents=True)
    directory.out.write_text("first\n")
    process = shell.start("logs", "-f", "name=a")
    assert process.stdout is not None
    assert process.stdout.readline() == "first\n"
    lab.finish("a", lease, State.FAILED, ERROR)
    again = wait_until(lambda: lab.store.claim(lab.worker, "e2").lease)
    directory.prepare(again.attempt)  # the directory is another one now
    with directory.out.open("a") as stream:
        stream.write("second\n")
    assert process.stdout.readline() == "second\n"
    lab.finish("a", again)
    out, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, said) == (0, "", "")


def test_follow_of_a_job_that_has_not_begun_says_so_and_waits(shell: Shell, lab: Lab) -> None:
    identity = lab.submit("a")
    process = shell.start("logs", "-f", "name=a")
    assert process.stderr is not None
    said = process.stderr.readline()
    assert said == f"{short(identity)}  Train name=a: it is ready, its output follows. See: xpm why {short(identity)}\n"
    lease = lab.claim(identity)
    lab.directory("a").prepare(1)
    lab.directory("a").out.write_text("first\n")
    lab.finish("a", lease)
    out, rest = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, rest) == (0, "first\n", "")


def test_lines_of_several_jobs_come_after_the_name_of_each(shell: Shell, lab: Lab) -> None:
    leases = {}
    for name in "ab":
        lab.worker = WorkerId(f"node1-{name}", "node1")
        leases[name] = lab.start(name)
        lab.directory(name).path.mkdir(parents=True)
        lab.directory(name).out.write_text(f"{name}1\nhalf of a line")
    process = shell.start("logs", "-f", "--experiment", "sweep")
    assert process.stdout is not None
    labels = {name: f"{short(lab.identity(name))} Train name={name} | " for name in "ab"}
    assert sorted(process.stdout.readline() for _ in range(2)) == sorted(f"{labels[name]}{name}1\n" for name in "ab")
    with lab.directory("a").out.open("a") as stream:
        stream.write(", and its end\n")
    assert process.stdout.readline() == f"{labels['a']}half of a line, and its end\n"
    for name in "ab":
        lab.worker = WorkerId(f"node1-{name}", "node1")
        lab.finish(name, leases[name])
    out, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, said) == (0, f"{labels['b']}half of a line\n", "")
