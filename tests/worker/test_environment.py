"""The environment of jobs: the worker's, without its secrets."""

from __future__ import annotations

import os

from xpm_worker.environment import clean_environment


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


def test_a_short_password_hides_no_variable_that_merely_contains_it() -> None:
    environment = {"PATH": "/bin", "EQUAL": "bin"}
    assert clean_environment(environment, "redis://:bin@head") == {"PATH": "/bin"}


def test_folders_given_to_the_worker_come_first() -> None:
    kept = clean_environment({"PYTHONPATH": "/old"}, "", ["/a", "/b"])
    assert kept["PYTHONPATH"] == os.pathsep.join(["/a", "/b", "/old"])
