"""What a worker adds to records is found once, and kept in the workspace."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
from helpers.package_sites import Site

from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.facts import of_worker
from xpm_core.snapshot.facts.of_worker import WorkerFacts
from xpm_core.snapshot.facts.packages import Environment
from xpm_core.snapshot.provenance import GitState, Provenance, Tree


@pytest.fixture
def store(tmp_path: Path) -> CodeStore:
    return CodeStore(tmp_path / "workspace")


def facts_of(store: CodeStore) -> WorkerFacts:
    return WorkerFacts(store.folder.parent)


def test_packages_and_machine_are_found_once(store: CodeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = facts_of(store)
    first = facts.about()
    assert store.get("packages", first["packages"])
    monkeypatch.setattr(Environment, "document", lambda _: pytest.fail("looked again at once"))
    monkeypatch.setattr(of_worker, "machine_facts", lambda: pytest.fail("looked again"))
    facts.look()
    facts.settle(60)
    assert facts.about() == first


def test_a_look_that_hangs_holds_up_nobody(store: CodeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_worker, "LEAST_S", 0.0)
    monkeypatch.setattr(of_worker, "SHARE", 0)
    facts, goes_on = facts_of(store), threading.Event()
    first, document = facts.about(), Environment.document

    def hangs(environment: Environment) -> bytes:
        goes_on.wait(60)
        return document(environment)

    monkeypatch.setattr(Environment, "document", hangs)
    facts.look()
    facts.look()
    facts.settle(0.0)
    assert facts.about() == first
    assert sum(thread.name == "xpm-packages" for thread in threading.enumerate()) == 1
    goes_on.set()
    facts.settle(60)


def test_a_removed_list_is_written_again_with_the_next_look(store: CodeStore) -> None:
    facts = facts_of(store)
    file = Path(store.document_path("packages", facts.about()["packages"]))
    file.unlink()
    facts.look()
    facts.settle(60)
    assert facts.about()["packages"] == file.name
    assert file.exists()


def test_a_change_is_found_with_the_next_look(
    store: CodeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_worker, "LEAST_S", 0.0)
    monkeypatch.setattr(of_worker, "SHARE", 0)
    site = Site(tmp_path)
    site.install("lab", {"url": site.lab.as_uri(), "dir_info": {"editable": True}})
    facts = WorkerFacts(store.folder.parent, [str(site.folder)])
    first = facts.about()["packages"]
    (site.lab / "lab" / "model.py").write_text("layers = 40\n")
    assert facts.about()["packages"] == first
    facts.look()
    facts.settle(60)
    assert facts.about()["packages"] != first


def test_a_list_that_cannot_be_kept_is_not_named(store: CodeStore, caplog: pytest.LogCaptureFixture) -> None:
    store.folder.parent.mkdir()
    store.folder.write_text("a file where the folder should be")
    facts = facts_of(store)
    with caplog.at_level(logging.WARNING):
        found = facts.about()
        facts.look()
        facts.settle(60)
    assert "packages" not in found
    assert found["machine"]
    assert len(caplog.records) == 1


def test_the_commit_is_that_of_the_first_tree_in_git(store: CodeStore) -> None:
    trees = [Tree("data", ["/data"]), Tree("lab", ["/lab"], GitState("1a" * 20, "main", (), 0)), Tree("x", ["/x"])]
    known = store.put("provenance", Provenance("", trees).written())
    none = store.put("provenance", Provenance("", trees[:1]).written())
    facts = facts_of(store)
    assert facts.about(known)["git"] == {"commit": "1a" * 20, "dirty": False}
    assert "git" not in facts.about(none)
    assert "git" not in facts.about("0" * 64)
    assert "git" not in facts.about()
