"""Secrets do not leave a workspace with the jobs that use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack
import pytest
from exchange_tasks import Prepare
from helpers.finished_jobs import Study

from xpm_core.exchange.hidden import hide, scrubbed
from xpm_core.exchange.identities.verifier import Verifier
from xpm_core.workspace.payload_parts import Parts


def hidden(tmp_path: Path, arguments: tuple[str, ...] = (), **env: str) -> tuple[Any, list[str]]:
    """What is left of a job with those variables, and what was hidden."""
    directory = Study(tmp_path).add(Prepare.C(seed=1), env=env)
    kept = directory.kept("exchange_tasks:Prepare")
    assert kept is not None
    signed = kept._replace(spec=kept.spec._replace(signature="0" * 64))
    job, names = hide(signed, [word.encode() for word in arguments])
    Verifier(Parts(tmp_path).get).verify(job.spec.payload, directory.identity)
    assert not job.spec.signature
    return job, names


@pytest.mark.parametrize("name", ["API_KEY", "hf_token", "MY_SECRET_1", "PASSWORD", "DB_PASSWORD"])
def test_values_of_secret_names_are_taken_away(tmp_path: Path, name: str) -> None:
    job, names = hidden(tmp_path, **{name: "sesame", "COLOUR": "red"})
    assert names == [name]
    assert job.spec.options.env == {"COLOUR": "red"}
    assert b"sesame" not in job.written()


def test_a_password_in_a_url_is_taken_away_whatever_its_name(tmp_path: Path) -> None:
    job, names = hidden(tmp_path, DB="postgres://alice:sesame@head/runs")
    assert names == ["DB"]
    assert b"sesame" not in job.written()


def test_secret_arguments_are_taken_away(tmp_path: Path) -> None:
    words = ("sweep.py", "--api-key", "sesame", "--lr", "0.1", "PASSWORD=sesame", "db://a:sesame@head")
    job, names = hidden(tmp_path, words)
    assert names == ["--api-key", "PASSWORD", "an argument"]
    kept = [word.decode() for word in msgpack.unpackb(job.spec.payload, strict_map_key=False)["argv"]]
    assert kept[:5] == ["sweep.py", "--api-key", "***", "--lr", "0.1"]
    assert b"sesame" not in job.spec.payload


def test_what_is_not_secret_stays_as_it_is(tmp_path: Path) -> None:
    job, names = hidden(tmp_path, COLOUR="red")
    assert names == []
    assert job.spec.options.env == {"COLOUR": "red"}


def test_passwords_in_urls_are_taken_out_of_records() -> None:
    said = {"error": {"message": "no answer from redis://a:sesame@head"}, "list": ["db://b:sesame@x", 3]}
    assert scrubbed(said) == {"error": {"message": "no answer from redis://a:***@head"}, "list": ["db://b:***@x", 3]}
