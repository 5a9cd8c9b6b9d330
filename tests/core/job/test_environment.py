"""The environment of jobs: all of their worker's but secrets, and what describes the job."""

from __future__ import annotations

import os

import pytest

from xpm_core.job.environment import clean_environment, token_variables


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
