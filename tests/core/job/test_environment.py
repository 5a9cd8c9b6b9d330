"""The environment of jobs: all of their worker's but secrets, and what describes the job."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.job.environment import (
    LONGEST_NAME,
    LONGEST_TAG,
    clean_environment,
    token_variables,
    tracker_names,
    tracker_variables,
)


def test_the_environment_of_jobs_holds_nothing_that_leads_to_redis() -> None:
    url = "redis://user:long-password@head:6379/0"
    environment = {
        "PATH": "/bin",
        "XPM_REDIS_URL": "x",
        "REDIS_URL": "x",
        "RQ_REDIS_URL": "x",
        "CELERY_BROKER": "rediss://other:6379",
        "CACHE": "see valkey://cache",
        "SECRET": "long-password",
        "NOTE": f"we use {url}",
        "DOCKER_HOST": "unix:///var/run/docker.sock",
    }
    kept = clean_environment(environment, url)
    assert kept == {"PATH": "/bin", "DOCKER_HOST": "unix:///var/run/docker.sock"}


@pytest.mark.parametrize(
    "url",
    ["redis://:p%40ss%2Fword@head", "unix:///run/redis.sock?password=p%40ss/word", "rediss://h?ssl_password=p@ss/word"],
)
def test_password_is_left_out_however_the_address_writes_it(url: str) -> None:
    environment = {"HOME": "/home/me", "LAB_SECRET": "p@ss/word", "NOTE": "--auth=p@ss/word"}
    assert clean_environment(environment, url) == {"HOME": "/home/me"}


def test_a_short_password_hides_no_variable_that_merely_contains_it() -> None:
    environment = {"PATH": "/bin", "EQUAL": "bin"}
    assert clean_environment(environment, "redis://:bin@head") == {"PATH": "/bin"}


def test_folders_given_to_the_worker_come_first() -> None:
    kept = clean_environment({"PYTHONPATH": "/old"}, "", ["/a", "/b"])
    assert kept["PYTHONPATH"] == os.pathsep.join(["/a", "/b", "/old"])


def test_units_of_tokens_are_numbered_or_counted() -> None:
    found = token_variables({"gpu": (2, "0,2"), "my-cpu": (3, "")})
    assert found == {"XPM_TOKEN_GPU": "0,2", "XPM_TOKEN_MY_CPU": "3", "XPM_TOKENS": "gpu=2:0,2;my-cpu=3"}
    assert token_variables({}) == {"XPM_TOKENS": ""}


IDENTITY = "3f2a91c04b" + "0" * 54


def test_a_job_without_tags_is_named_by_its_label() -> None:
    found = tracker_names(IDENTITY, "Train", tags={}, experiment="", workspace="8c1f2e0d7a11")
    label, run = "Train/3f2a91c", "3f2a91c04b000000-8c1f2e0d7a11"
    assert found == {"WANDB_NAME": label, "MLFLOW_RUN_NAME": label, "WANDB_RUN_ID": run}


def test_tags_that_are_equal_once_they_are_cut_are_one_tag() -> None:
    tags = {"a": "x" * 100, "b": "x", f"a={'x' * 80}": 1}
    found = tracker_names(IDENTITY, "Train", tags=tags, experiment="e", workspace="w")
    assert found["WANDB_TAGS"].split(",") == ["a=" + "x" * 61 + "…", "b=x"]


TEXTS = st.text(st.characters(), max_size=200)


@given(st.dictionaries(TEXTS, st.one_of(TEXTS, st.floats(), st.integers(), st.booleans(), st.none())), TEXTS, TEXTS)
def test_whatever_tags_hold_a_tracker_takes_the_variables(tags: dict[str, object], experiment: str, name: str) -> None:
    names = tracker_names(IDENTITY, name, tags=tags, experiment=experiment, workspace="8c1f2e0d7a11")
    found = tracker_variables(names, 1)
    for value in found.values():
        assert value
        assert value.isprintable()
        assert b"\0" not in value.encode()
    assert re.fullmatch("[A-Za-z0-9_-]{1,64}", found["WANDB_RUN_ID"])
    assert max(len(found[each]) for each in ("WANDB_NAME", "MLFLOW_RUN_NAME")) <= LONGEST_NAME
    assert len(found.get("WANDB_RUN_GROUP", "")) <= LONGEST_NAME
    assert all(1 <= len(each) <= LONGEST_TAG for each in found.get("WANDB_TAGS", "x").split(","))


def test_a_job_in_the_foreground_never_continues_a_run() -> None:
    names = {"WANDB_RUN_ID": "a-w"}
    assert tracker_variables(names, "debug", resumable=True) == {"WANDB_RUN_ID": "a-w-debug"}
    assert tracker_variables(names, 3, resumable=True) == {"WANDB_RUN_ID": "a-w", "WANDB_RESUME": "allow"}
