"""The document of the packages: equal environments have equal ones, and it is made again only if something changed."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers.package_sites import Site, git

from xpm_core.snapshot.facts import packages
from xpm_core.snapshot.facts.packages import Environment, packages_document, prepare


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.install("numpy")
    site.install("lab", {"url": site.lab.as_uri(), "dir_info": {"editable": True}})
    return site


def test_the_document_of_this_interpreter_names_what_is_installed() -> None:
    found = json.loads(packages_document())
    assert (found["schema"], found["python"]) == (1, platform.python_version())
    assert {"redis", "rq", "msgpack", "xpm-queue"} <= found["packages"].keys()
    assert packages_document() == packages_document()


def test_equal_environments_have_equal_documents(site: Site) -> None:
    assert Environment([str(site.folder)]).document() == Environment([str(site.folder)]).document()


def test_it_is_made_again_only_if_something_changed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, written = Environment([str(site.folder)]), packages._written
    made: list[bytes] = []

    def counted(*given: object) -> bytes:
        made.append(written(*given))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(packages, "_written", counted)
    first = environment.document()
    assert environment.document() == first
    assert len(made) == 1
    (site.lab / "lab" / "model.py").write_text("layers = 40\n")
    second = environment.document()
    assert second != first
    os.utime(site.folder, ns=(1, 1))
    site.install("scipy")
    assert "scipy" in json.loads(environment.document())["packages"]
    assert len(made) == 3


def test_a_commit_alone_changes_the_document(site: Site) -> None:
    git(site.lab, "init", "-q")
    git(site.lab, "add", ".")
    git(site.lab, "commit", "-qm", "first")
    environment = Environment([str(site.folder)])
    first = json.loads(environment.document())["sources"]["lab"]
    git(site.lab, "commit", "-q", "--allow-empty", "-m", "second")
    second = json.loads(environment.document())["sources"]["lab"]
    assert first["digest"] == second["digest"]
    assert first["commit"] != second["commit"] == git(site.lab, "rev-parse", "HEAD")


def test_a_thread_prepares_it() -> None:
    prepare()
    assert packages_document()
    for thread in threading.enumerate():
        if thread.name == "xpm-packages":
            thread.join()


def test_a_process_forked_while_it_is_made_does_not_wait_for_ever() -> None:
    program = (
        "import os\n"
        "from xpm_core.snapshot.facts import packages\n"
        "packages._HERE._lock.acquire()\n"
        "pid = os.fork()\n"
        "if not pid:\n"
        "    os._exit(0 if packages.packages_document() else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "0\n"
