"""Remove what a plan names.

A directory is renamed first, and then deleted. So nothing that is half deleted looks like a result, and what a crash
leaves is trash, which the next removal takes.

Owns: the order. A job goes before the jobs that it needs. The server forgets it, its directory is renamed, the index
and the links learn of it, and then the next one follows. All is deleted at the end, when nobody has to wait for that.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from xpm_core.cleaning.code.freeing import named_by
from xpm_core.cleaning.facts import Facts
from xpm_core.cleaning.places import trash_name
from xpm_core.cleaning.records import Done, Item, Kind, Left, Plan
from xpm_core.cleaning.removing.code_files import remove_code
from xpm_core.cleaning.removing.collection import Collection
from xpm_core.cleaning.removing.index_files import merge
from xpm_core.cleaning.runs import links_of
from xpm_core.cleaning.trees import remove_tree
from xpm_core.errors import CollectionError, WorkspaceError
from xpm_core.index.writers import RemovalWriter
from xpm_core.labels import short
from xpm_core.store.records import ForgetCode

FIRST = (Kind.RUNS, Kind.FAILED, Kind.ORPHANS)
"""What is renamed before anything is deleted."""


class Removal:
    """Removes what a plan names.

    Args:
        facts: What the plan was made of; they were read within the collection.
        collection: The collection, in whose block this happens.
        removals: Writes into the index which jobs were removed.
        is_known: Whether the server knows a job now.

    Attributes:
        done: What was removed so far.
    """

    def __init__(
        self, facts: Facts, collection: Collection, removals: RemovalWriter, is_known: Callable[[str], bool]
    ) -> None:
        self._facts, self._collection, self._removals, self._is_known = facts, collection, removals, is_known
        self._root = str(facts.workspace.path)
        self._kept: set[str] = set()
        self._trash: list[tuple[str, Item]] = []
        self.done = Done()

    def take(self, plan: Plan) -> None:
        """Take what others could use out of their way: jobs and runs. It is gone for everybody, but not deleted yet.

        If the collection is over before all was taken, the rest stays, and is a failure.
        """
        try:
            self._take(plan)
        except CollectionError as error:
            self._put_back()
            self.done.failures.append(Left(".", f"{error.problem}. {error.remedy}"))

    def _take(self, plan: Plan) -> None:
        jobs = {item.identity: item for item in plan.items if item.kind in FIRST and item.identity}
        for identity in self._facts.needs.users_first(jobs):
            self._take_job(jobs[identity])
        self._collection.forget("", "", ())
        for item in plan.of(Kind.RUNS):
            self._rename(item)

    def delete(self, plan: Plan, tick: Callable[[int], None] = lambda _: None) -> None:
        """Delete what was taken, and what nobody uses: what was set aside, leftovers, and trash."""
        for count, (path, item) in enumerate(self._trash):
            self._delete(path, item)
            tick(count + 1)
        self._trash = []
        for kind in (Kind.OLD, Kind.TRASH, Kind.LEFTOVERS):
            for count, item in enumerate(plan.of(kind)):
                if kind is Kind.LEFTOVERS:
                    self._delete_leftover(item)
                else:
                    self._delete(f"{self._root}/{item.path}", item)
                tick(count + 1)
        self._delete_code(plan)

    def _delete_code(self, plan: Plan) -> None:
        """Delete the code that nobody names now: some jobs may have stayed, against the plan."""
        items = plan.of(Kind.CODE)
        if not items:
            return
        gone = {item.key for item in self.done.items}
        stay = [item for item in (*plan.items, *plan.left) if item.kind is not Kind.CODE and item.key not in gone]
        freed, failures = remove_code(self._facts.workspace.path, items, named_by(self._facts.naming, stay))
        self.done.items += freed
        self.done.failures += failures

    def _put_back(self) -> None:
        """The last directory that was renamed may have been of a job that runs again by now. Then put it back."""
        trash, item = self._trash[-1] if self._trash else ("", None)
        if item is None or not item.identity or not self._is_known(item.identity):
            return
        del self._trash[-1]
        path = f"{self._root}/{item.path}"
        if not os.path.lexists(path):
            os.rename(trash, path)
        self._spare(item, "it was submitted again meanwhile")

    # -- jobs ------------------------------------------------------------------------------------------------------

    def _take_job(self, item: Item) -> None:
        identity, needs = item.identity, self._facts.needs.of(item.identity)
        if identity in self._kept:
            self._spare(item, "another job that stays needs it")
            return
        if problem := self._obstacle(item.path):
            self._fail(item, problem)
            return
        code, word = self._collection.forget(identity, item.execution, needs)
        if code is not ForgetCode.TAKEN:
            self._spare(item, _reason(code, word))
            return
        if item.path and not self._collection.is_safe:
            self._spare(item, "this took too long; the next xpm gc removes it")
            return
        if item.path and not self._rename(item):
            return
        if not item.path:
            self.done.items.append(item)
        self._unlist(identity)

    def _spare(self, item: Item, why: str) -> None:
        """Leave a job, and with it all that it needs."""
        self._kept |= self._facts.needs.closure([item.identity])
        self.done.spared.append(Left(item.path or short(item.identity), why))

    def _fail(self, item: Item, problem: str) -> None:
        """Leave a job that cannot be removed. So what it needs stays, too."""
        self._kept |= self._facts.needs.closure([item.identity]) if item.identity else set()
        self.done.failures.append(Left(item.path, problem))

    def _obstacle(self, relative: str) -> str:
        """What is in the way of renaming a directory, before the server forgets its job; empty if nothing is."""
        if not relative:
            return ""
        path = Path(self._root, relative)
        for folder in (path.parent, path):
            if not os.access(folder, os.W_OK | os.X_OK):
                return "permission denied" if os.path.lexists(path) else "it has gone"
        return "it is a link" if path.is_symlink() else ""

    def _unlist(self, identity: str) -> None:
        """Let the index and the links of all experiments know that a job is gone."""
        entry = self._facts.entries.get(identity)
        if entry is not None:
            ended_s = entry.end.ended_s if entry.end is not None else 0.0
            self._removals.add(identity, max(entry.described_s, entry.submitted_s, ended_s))
        for link in self._links.get(identity, ()):
            with contextlib.suppress(OSError):
                os.unlink(link)

    @cached_property
    def _links(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._facts.runs.all:
            for link in links_of(Path(self._root, "experiments", name)):
                found.setdefault(link.identity, []).append(link.path)
        return found

    # -- files -----------------------------------------------------------------------------------------------------

    def _rename(self, item: Item) -> bool:
        """Rename a directory, so that it is what it was no more. Returns whether that was possible."""
        path = Path(self._root, item.path)
        trash = path.parent / trash_name(path.name)
        try:
            os.rename(path, trash)
        except OSError as error:
            self._fail(item, os.strerror(error.errno or 0).lower())
            return False
        self._trash.append((str(trash), item))
        return True

    def _delete(self, path: str, item: Item) -> None:
        failures = remove_tree(path)
        self.done.failures += [Left(os.path.relpath(place, self._root), problem) for place, problem in failures]
        if not failures:
            self.done.items.append(item)

    def _delete_leftover(self, item: Item) -> None:
        path = f"{self._root}/{item.path}"
        identity = item.identity or (os.readlink(path).rpartition("/")[2] if os.path.islink(path) else "")
        if identity and self._is_known(identity):
            self.done.spared.append(Left(item.path or short(identity), "a script has submitted its job since"))
        elif item.identity:
            self._unlist(item.identity)
            self.done.items.append(item)
        elif os.path.isdir(path) and not os.path.islink(path):
            self._merge(Path(path), item)
        else:
            self._delete(path, item)

    def _merge(self, folder: Path, item: Item) -> None:
        try:
            merge(folder, self._facts.now_s)
        except WorkspaceError as error:
            self._fail(item, error.problem)
        else:
            self.done.items.append(item)


def _reason(code: ForgetCode, word: str) -> str:
    return {
        ForgetCode.UNSETTLED: f"it is {word} again",
        ForgetCode.NEEDED: f"{short(word) if word else 'another job'} needs it, which is not done",
        ForgetCode.STALE: "it has run again since",
        ForgetCode.NAMED: "a script has submitted it since",
    }[code]


def common(plan: Plan, shown: Plan) -> Plan:
    """What a plan has in common with one that was shown before, because only that was agreed to."""
    keys = {(item.kind, *item.key) for item in shown.items}
    agreed = [item for item in plan.items if (item.kind, *item.key) in keys]
    left = [item for item in plan.items if (item.kind, *item.key) not in keys]
    return Plan(agreed, plan.kept, plan.strange, left=left)
