"""The record of a job: its written forms are fixed, and one more field is one change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import later_version

from xpm_core.config import ResumableTask, Task
from xpm_core.script.submit.options import Options
from xpm_core.wire import signing
from xpm_core.workspace import job_spec
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_spec import JobOptions, JobSpec, Retries
from xpm_core.workspace.kept_job import KeptJob

W = "0123456789ab"
KEY = b"key"


class Plain(Task):
    def execute(self) -> None:
        """Do nothing."""


class Resumed(ResumableTask):
    template = False

    def execute(self) -> None:
        """Do nothing."""


def spec_of(letter: str, options: JobOptions) -> JobSpec:
    identity = letter * 64
    payload = b"\x00payload " + letter.encode()
    return JobSpec(identity, "demo:Task", "Task", f"jobs/demo.task/{identity}", payload, options)


PLAIN = spec_of("a", Options().in_job(Plain))
FULL = spec_of("b", Options(timeout=12.5, env={"A": "b", "Ü": "€"}).in_job(Resumed))

# Taken from xpm before there was this record: what it wrote must be read, and it must read what is written now.
PLAIN_OPTIONS = '{"timeout_s": null, "env": {}, "resumable": false, "template": true}'
FULL_OPTIONS = (
    '{"timeout_s": 12.5, "env": {"A": "b", "\\u00dc": "\\u20ac"}, "resumable": true, "template": false, "signature": '
    '"7d592ded1a1fcb33d0afc090fa636878ff73ba6097b17ab8d2bbbad4a0c9109a"}'
)
PLAIN_SIGNATURE = "f084276579fa90d2b397201724e3401cfbf9a0c41fb9fd4127461e9c8ebc8e42"
REST = f'"needs": ["{"1" * 64}"], "max_retries": 2, "max_losses": 5, "backoff_s": 0.5}}\n'
PLAIN_FILE = f'{{"schema": 1, "name": "Task", "payload": "AHBheWxvYWQgYQ==", "options": {PLAIN_OPTIONS}, {REST}'
FULL_FILE = f'{{"schema": 1, "name": "Task", "payload": "AHBheWxvYWQgYg==", "options": {FULL_OPTIONS}, {REST}'


def signed(spec: JobSpec) -> JobSpec:
    return signing.signed(KEY, W, spec)


@pytest.mark.parametrize(("spec", "written"), [(PLAIN, PLAIN_OPTIONS), (signed(FULL), FULL_OPTIONS)])
def test_options_are_written_as_they_always_were(spec: JobSpec, written: str) -> None:
    assert json.dumps(spec.written_options()) == written
    assert JobSpec.read(*spec.words, spec.payload, json.loads(written)) == spec


def test_the_signature_is_what_it_always_was() -> None:
    assert signed(PLAIN).signature == PLAIN_SIGNATURE
    assert signed(FULL).signature == json.loads(FULL_OPTIONS)["signature"]


@pytest.mark.parametrize(
    ("written", "signature"),
    [
        ({"env": {"A": "b"}, "later": [1]}, "3157f144350fde937c604a1a4d4de6da5eb70fdd9aefbb1291ea67b87cd7aa6e"),
        ({}, "927fbc997889e6182b9b7b09900a499d990dba62174288f186b45faca2815fbc"),
    ],
    ids=["with an unknown option", "without any"],
)
def test_options_that_were_read_are_signed_as_they_were_written(written: dict[str, Any], signature: str) -> None:
    words = ("d" * 64, "demo:Task", "Task", "jobs/demo.task/" + "d" * 64)
    spec = JobSpec.read(*words, b"p", {**written, "signature": signature})
    signing.verify(KEY, W, spec)
    assert spec.written_options() == {**written, "signature": signature}


@pytest.mark.parametrize(("spec", "content", "mode"), [(PLAIN, PLAIN_FILE, 0o644), (signed(FULL), FULL_FILE, 0o600)])
def test_the_kept_file_is_what_it_always_was(tmp_path: Path, spec: JobSpec, content: str, mode: int) -> None:
    job = JobDirectory(tmp_path, spec.directory)
    job.prepare(1)
    kept = KeptJob(spec, ["1" * 64], Retries(2, 5, 0.5))
    job.keep(kept)
    file = job.path / ".xpm" / "handed.json"
    assert file.read_text() == content
    assert file.stat().st_mode & 0o777 & mode == file.stat().st_mode & 0o777
    assert job.kept("demo:Task") == kept


def test_a_new_field_is_written_only_if_it_has_a_value() -> None:
    assert later_version.JobOptions().written == JobOptions().written
    assert later_version.JobOptions(flavour="dark").written == {**JobOptions().written, "flavour": "dark"}


def test_a_new_field_is_signed_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dark, light = (spec_of("c", later_version.JobOptions(flavour=flavour)) for flavour in ("dark", "light"))
    assert len({signed(spec).signature for spec in (dark, light, spec_of("c", JobOptions()))}) == 3
    monkeypatch.setattr(job_spec, "JobOptions", later_version.JobOptions)
    job = JobDirectory(tmp_path, dark.directory)
    job.prepare(1)
    job.keep(KeptJob(dark, [], Retries()))
    found = job.kept("demo:Task")
    assert found is not None
    assert found.spec == dark
    assert found.spec.options.unknown == []


def test_an_earlier_xpm_keeps_and_signs_a_field_that_it_does_not_know(tmp_path: Path) -> None:
    sent = signed(spec_of("c", later_version.JobOptions(flavour="dark")))
    found = JobSpec.read(*sent.words, sent.payload, sent.written_options())
    signing.verify(KEY, W, found)
    assert found.options.unknown == ["flavour"]
    assert found.written_options() == sent.written_options()


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"timeout_s": -1}, "its option timeout_s is -1, expected a number of seconds above 0"),
        ({"timeout_s": float("inf")}, "its option timeout_s is inf, expected a number of seconds above 0"),
        ({"env": {"A=B": "c"}}, "its option env is {'A=B': 'c'}, expected names and values as strings"),
        ({"env": "x"}, "its option env is 'x', expected names and values as strings"),
        ({"resumable": "yes"}, "its option resumable is 'yes', expected true or false"),
        ({"flavour": 3}, "its option flavour is 3, expected a text"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named_with_what_was_expected(written: dict[str, Any], problem: str) -> None:
    assert list(later_version.JobOptions.read(written).problems()) == [problem]


def test_null_stands_for_the_default() -> None:
    assert JobOptions.read({"timeout_s": None, "env": None, "resumable": None, "template": None}) == JobOptions()


def test_what_is_no_map_is_shown() -> None:
    (problem,) = JobOptions.read_nothing("[" * 5000).problems()
    assert problem == f"its options are {'[' * 1000!r}, expected a map as JSON"


def test_a_label_shows_no_name_that_cannot_be_one() -> None:
    assert PLAIN.label == "Task/aaaaaaa"
    assert PLAIN._replace(name="../x", identity="../../out").label == "job/o"
