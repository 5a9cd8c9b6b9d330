"""What a job would have run of accepted code: what later edits of that are told as."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from xpm_core.fingerprints.comparison import Comparison
from xpm_core.fingerprints.project import Folders, Project
from xpm_core.fingerprints.ran import Ran, RanModule
from xpm_core.fingerprints.reached import reach
from xpm_core.fingerprints.walk import Walk
from xpm_core.judging.presumed import presumed
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import KeptFile, Manifest

TRAIN = """
    from xpm import Task
    import helper

    class Train(Task):
        def execute(self):
            if self.fast:
                helper.fast()
            return helper.used()
"""
HELPER = """
    def used():
        return 1
    def fast():
        return inner()
    def inner():
        return 3
"""
OWN = {"train.py": TRAIN, "helper.py": HELPER}
RAN = Ran(
    "monitoring",
    functions={("p", "train.py"): ("Train.execute",), ("p", "helper.py"): ("used",)},
    modules=[RanModule("p", "helper.py", "helper"), RanModule("p", "train.py", "train")],
)


class Story:
    """A job that has run RAN of OWN, code that was accepted, and code that came later."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace

    def walk(self, files: Mapping[str, str]) -> Walk:
        store = CodeStore(self._workspace)
        data = {path: dedent(text).encode() for path, text in files.items()}
        entries = [KeptFile(0, path, 0o644, store.put_object(text), len(text)) for path, text in data.items()]
        folders = Folders([("p", "")], frozenset())
        return Walk(Project.of_snapshot(self._workspace, Manifest(["p"], list(entries)), folders))

    def presumed(self, accepted: Mapping[str, str]) -> Ran | None:
        own, new = self.walk(OWN), self.walk(accepted)
        return presumed(RAN, Comparison(own, new), reach(own, [("p", "train.py", "Train")]), (own, new))

    def answer(self, accepted: Mapping[str, str], later: Mapping[str, str]) -> str:
        walk = self.walk(accepted)
        reached = reach(walk, [("p", "train.py", "Train")])
        return Comparison(walk, self.walk(later)).verdict(reached, self.presumed(accepted)).answer


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def helper(*edits: tuple[str, str]) -> dict[str, str]:
    text = HELPER
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return {**OWN, "helper.py": text}


def test_what_it_never_ran_stays_so_if_the_accepted_change_does_not_lead_there(story: Story) -> None:
    accepted = helper(("return 1", "return 1.0"))
    assert story.answer(accepted, helper(("return 1", "return 1.0"), ("return 3", "return 4"))) == "reached"
    assert story.answer(accepted, helper(("return 1", "return 2"))) == "ran"
    assert story.answer(accepted, accepted) == "same"


def test_what_the_accepted_change_calls_counts_as_run(story: Story) -> None:
    calls = ("return 1", "return inner()")
    assert story.answer(helper(calls), helper(calls, ("return 3", "return 4"))) == "ran"
    assert story.answer(helper(calls), helper(calls, ("    def fast():\n        return inner()",
                                                      "    def fast():\n        return 0"))) == "reached"  # fmt: skip


def test_what_the_accepted_change_has_brought_counts_as_run(story: Story) -> None:
    brings = ("return 1", "return new()\n    def new():\n        return 5")
    assert story.answer(helper(brings), helper(brings, ("return 5", "return 6"))) == "ran"


def test_a_module_that_the_accepted_change_imports_counts_as_run(story: Story) -> None:
    imports = helper(("def used():", "import late\n    def used():\n        late.go()"))
    accepted = {**imports, "late.py": "LIMIT = 1\ndef go():\n    return LIMIT\n"}
    assert story.answer(accepted, {**accepted, "late.py": "LIMIT = 2\ndef go():\n    return LIMIT\n"}) == "ran"


def test_a_change_that_it_never_ran_leaves_what_it_ran(story: Story) -> None:
    assert story.presumed(helper(("return 3", "return 4"))) is RAN


def test_a_function_that_the_accepted_code_has_not_any_more_is_forgotten(story: Story) -> None:
    renamed = {
        "train.py": TRAIN.replace("helper.used()", "helper.other()"),
        "helper.py": HELPER.replace("used", "other"),
    }
    found = story.presumed(renamed)
    assert found is not None
    assert set(found.functions["p", "helper.py"]) >= {"other"}
    assert "used" not in found.functions["p", "helper.py"]
    assert (
        story.answer(renamed, {**renamed, "helper.py": renamed["helper.py"].replace("return 1", "return 2")}) == "ran"
    )
    commented = {**renamed, "helper.py": "# a comment\n" + dedent(renamed["helper.py"])}
    assert story.answer(renamed, commented) == "same"


@pytest.mark.parametrize(
    "accepted",
    [
        {"train.py": TRAIN.replace("helper", "helper2"), "helper2.py": HELPER},
        helper(("return 1", "return getattr(self, name())()")),
        helper(("return 1", "return 1 +")),
    ],
    ids=["a file was renamed", "a place that cannot be followed", "a file that cannot be read"],
)
def test_else_nothing_follows_so_all_that_it_can_reach_counts(story: Story, accepted: Mapping[str, str]) -> None:
    assert story.presumed(accepted) is None
