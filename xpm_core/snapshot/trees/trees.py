"""The trees of this machine: each snapshot is copied once, checked before each use, and held while it is used.

Owns: who builds a tree, and when. One process at a time builds on a machine: it locks the folder of all trees. It
builds into a folder beside, and renames that into its place. A user of a tree holds a shared lock on its folder.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from xpm_core.errors import SnapshotError, SnapshotFolderError
from xpm_core.labels import short
from xpm_core.project.moved_code import MovedCode
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import RUN_AGAIN, Manifest
from xpm_core.snapshot.provenance import Provenance
from xpm_core.snapshot.trees import bytecode, checks, removal
from xpm_core.snapshot.trees.build import build, check_large_files, remove
from xpm_core.snapshot.trees.checks import Notes
from xpm_core.snapshot.trees.host_folder import Tick, code_folder, explained, hold, is_at, nothing

log = logging.getLogger(__name__)

TRIES = 5
"""How often a tree is built at most for one use, if others change or remove it at once."""


class OpenTree:
    """A tree in use. It is not removed before it is closed.

    Attributes:
        path: The folder that holds it: `<path>/<name of the tree>/...`.
        code: Where the roots of the script lie in it.
    """

    def __init__(self, path: Path, code: MovedCode, descriptor: int, notes: str) -> None:
        self.path, self.code = path, code
        self._descriptor, self._notes = descriptor, notes

    def close(self) -> None:
        """Stop using it. A second call does nothing."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.utime(self._notes)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> OpenTree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Trees:
    """Opens the trees of a workspace's snapshots on this machine.

    Args:
        workspace: The workspace's directory on this machine.
        folder: The folder of this machine; None for `XPM_SNAPSHOT_FOLDER`, else `/tmp/xpm-<uid>`.

    Example:
        >>> with trees.open(options.snapshot, options.provenance) as tree:
        ...     payload.load(data, code=tree.code, ...)
    """

    def __init__(self, workspace: Path, folder: Path | None = None) -> None:
        self._store = CodeStore(workspace)
        self._folder = folder
        self._notes: dict[str, Notes] = {}
        """What this process knows of trees, by snapshot."""
        self._manifest = lru_cache(maxsize=16)(self._store.manifest)
        self._roots = lru_cache(maxsize=64)(self._read_roots)

    def open(self, snapshot: str, provenance: str, tick: Tick = nothing) -> OpenTree:
        """Use the tree of a snapshot. It is built if this machine has none, and built anew if it was changed.

        Args:
            snapshot: The snapshot.
            provenance: The document that says where the script had the roots of the snapshot.
            tick: Called again and again while this takes long, for example to renew a lease. If it raises, nothing is
                left behind, and the error is passed on.

        Returns:
            The tree. The caller closes it after the use.

        Raises:
            SnapshotError: What the workspace keeps of it is missing or damaged, or a large file was changed.
            SnapshotFolderError: This machine cannot hold it: the disk is full, or another user has its folder.
        """
        manifest = self._manifest(snapshot)
        roots = self._roots(snapshot, provenance)
        check_large_files(manifest)
        descriptor = self._hold(snapshot, manifest, tick)
        code = code_folder(self._folder)
        path, notes = f"{code}/{snapshot}", removal.notes_file(code, snapshot)
        with contextlib.suppress(OSError):
            os.utime(notes)
        return OpenTree(Path(path), moved_to(path, roots), descriptor, notes)

    def _read_roots(self, snapshot: str, provenance: str) -> dict[str, str]:
        return roots_of(self._store, self._manifest(snapshot), provenance)

    # -- the copy --------------------------------------------------------------------------------------------------

    def _hold(self, snapshot: str, manifest: Manifest, tick: Tick) -> int:
        """A tree that was checked, held by a descriptor."""
        for number in range(TRIES):
            code = code_folder(self._folder)
            try:
                descriptor = self._held(code, manifest, tick)
            except SnapshotFolderError as error:
                if not isinstance(error.__cause__, FileNotFoundError) or number == TRIES - 1:
                    raise
                continue  # a program that removes old files has removed a folder meanwhile
            if descriptor is not None:
                return descriptor
        problem = f"the copy of snapshot {short(snapshot)} was changed or removed {TRIES} times, just after it was made"
        raise SnapshotFolderError(code, problem, "Find out which program does that, or set XPM_SNAPSHOT_FOLDER.")

    def _held(self, code: str, manifest: Manifest, tick: Tick) -> int | None:
        """The same; None if the tree did not exist or could not be used: then it was built."""
        path = f"{code}/{manifest.digest}"
        with explained(code, f"the copy of snapshot {short(manifest.digest)} cannot be used"):
            descriptor = hold(path, tick)
        if descriptor is None:
            self._build(code, manifest, tick, None)
            return None
        is_good = False
        try:
            wrong = self._damage(code, manifest, tick)
            is_good = not wrong and is_at(path, descriptor)
            if wrong and is_at(path, descriptor):
                log.warning("%s: in this copy of a snapshot, %s; it is copied anew", path, wrong)
                self._build(code, manifest, tick, descriptor)
            return descriptor if is_good else None
        finally:
            if not is_good:
                os.close(descriptor)

    def _damage(self, code: str, manifest: Manifest, tick: Tick) -> str:
        """What is wrong with a tree, which this process holds; empty if it can be used."""
        snapshot = manifest.digest
        path, file = f"{code}/{snapshot}", removal.notes_file(code, snapshot)
        notes = self._notes.get(snapshot)
        if notes is None or checks.differs(path, notes.entries):  # another process may have built it anew
            notes = checks.read_notes(file, snapshot)
            if notes is None or checks.differs(path, notes.entries):
                try:
                    entries = checks.take_notes(path, manifest)  # before the contents are read
                except OSError:
                    entries = []
                wrong = checks.damage(path, manifest, tick)
                if wrong or not entries:
                    return wrong or "a file was removed"
                notes = Notes(entries, ())
                notes.write(file, snapshot)
        if bytecode.cache_tag() not in notes.compiled:
            bytecode.compile_tree(path, manifest, tick=tick)
            notes = Notes(notes.entries, (*notes.compiled, bytecode.cache_tag()))
            notes.write(file, snapshot)
        self._notes[snapshot] = notes
        return ""

    def _build(self, code: str, manifest: Manifest, tick: Tick, damaged: int | None) -> None:
        """Build a tree, unless another process does so first.

        Args:
            code: The folder of the trees.
            manifest: The snapshot.
            tick: See `open`.
            damaged: The tree in its place that cannot be used; None if there was none.
        """
        snapshot = manifest.digest
        path = f"{code}/{snapshot}"
        with self._alone(code, tick) as is_alone:
            if not is_alone:  # somebody has removed the folder
                return
            removal.sweep(code, spared=snapshot)
            if os.path.lexists(path) if damaged is None else not is_at(path, damaged):
                return
            new = f"{code}/{removal.BUILDING}{snapshot[:12]}-{os.getpid()}-{os.urandom(4).hex()}"
            try:
                build(self._store, manifest, Path(new), tick=tick)
                bytecode.compile_tree(new, manifest, path, tick)
                with explained(code, f"the copy of snapshot {short(snapshot)} cannot be put there"):
                    if damaged is not None:
                        os.rename(path, f"{code}/{removal.ASIDE}{snapshot}-{os.urandom(4).hex()}")
                    os.rename(new, path)
                with contextlib.suppress(OSError):  # it was removed just now: then it has no notes, and is missing
                    notes = Notes(checks.take_notes(path, manifest), (bytecode.cache_tag(),))
                    if not checks.damage(path, manifest, tick):  # somebody may have written into it meanwhile
                        notes.write(removal.notes_file(code, snapshot), snapshot)
            finally:
                if os.path.lexists(new):
                    remove(new)

    @contextlib.contextmanager
    def _alone(self, code: str, tick: Tick) -> Iterator[bool]:
        """Be the only builder of this machine. Gives False if the folder was removed meanwhile."""
        with explained(code, "code for jobs cannot be kept there"):
            lock = hold(code, tick, exclusive=True)
        try:
            yield lock is not None
        finally:
            if lock is not None:
                os.close(lock)


def roots_of(store: CodeStore, manifest: Manifest, provenance: str) -> dict[str, str]:
    """The tree of each root of a snapshot, by the paths by which its script has reached the roots.

    The same paths without links, as they are on this machine, are among them.

    Raises:
        SnapshotError: The document is missing or damaged, or is about another snapshot.
    """
    where = f"snapshot {short(manifest.digest)}"
    if not provenance:
        raise SnapshotError(where, "the job does not say where its script had this code", RUN_AGAIN)
    found = Provenance.read(store.get("provenance", provenance))
    if found.snapshot != manifest.digest or {tree.name for tree in found.trees} - set(manifest.trees):
        raise SnapshotError(where, "the job says of another snapshot where its code came from", RUN_AGAIN)
    return {**{os.path.realpath(root): name for root, name in found.roots.items()}, **found.roots}


def moved_to(folder: str, roots: Mapping[str, str]) -> MovedCode:
    """Where the roots are in a copy of their snapshot that lies in a folder.

    Example:
        >>> moved_to(".xpm/code", roots_of(store, manifest, provenance))
    """
    return MovedCode({root: f"{folder}/{name}" for root, name in roots.items()})
