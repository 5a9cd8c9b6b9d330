"""Which kept code may go, once some jobs are gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from xpm_core.cleaning.code.kept import CACHE_S, Kept, KeptCode
from xpm_core.cleaning.code.naming import UNREAD, Naming
from xpm_core.cleaning.records import Item, Kind, Left
from xpm_core.errors import SnapshotError, WorkspaceError
from xpm_core.labels import short
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.words.text import plural

CONTENTS, SUBMISSIONS, PACKAGES, RAN, SEEN, DEFINITIONS = (
    ("code/objects", "content of a file that no snapshot has", "contents of files that no snapshot has"),
    ("code/provenance", "description of a submission", "descriptions of submissions"),
    ("code/packages", "list of installed packages", "lists of installed packages"),
    ("code/ran", "list of what a job ran", "lists of what jobs ran"),
    ("code/seen", "memory of which files were read", "memories of which files were read"),
    ("code/definitions", "memory of what is defined in a file", "memories of what is defined in files"),
)


class Freeing:
    """Decides which code may go.

    Args:
        kept: The code that is kept.
        naming: Who names it.
        tick: Called with the number of directories whose records were read so far.
    """

    def __init__(self, kept: KeptCode, naming: Naming, tick: Callable[[int], None] = lambda _: None) -> None:
        self._kept, self._naming, self._tick = kept, naming, tick

    def items(self, gone: Iterable[Item], *, everything: bool, is_older: Callable[[float], bool]) -> list[Item]:
        """The code that nobody names once some jobs and directories are gone.

        If it is not known what some record names, `naming.unknown` says so, and nothing goes.

        Args:
            gone: The jobs, and the directories that retries have set aside.
            everything: Whether also that goes which nobody names already. Else only what these have named.
            is_older: Whether what was used last at that moment is wanted.
        """
        gone = list(gone)
        if not (everything or gone):
            return []
        try:
            return self._items(gone, everything, is_older)
        except WorkspaceError as error:
            self._naming.unknown.append(Left(error.where, UNREAD))
            return []

    def _items(self, gone: list[Item], everything: bool, is_older: Callable[[float], bool]) -> list[Item]:
        kept, names = self._kept, {name for item in gone for name in (item.identity, item.path)}

        def may_go(each: Kept) -> bool:
            return kept.is_old(each) and is_older(each.used_s)

        freed = kept.documents.keys() if everything else kept.reached(named_by(self._naming, gone))
        wanted = {digest for digest in kept.documents.keys() & freed if all(map(may_go, kept.documents[digest]))}
        going = self._naming.unnamed(wanted, names, self._tick)
        loose = {digest for digest, each in kept.objects.items() if may_go(each)}
        if self._naming.unknown:
            return []
        if not everything:
            loose &= kept.reached(going)
        if going or loose:
            stay = kept.reached(kept.documents.keys() - going)
            going, loose = going - stay, loose - stay
        found = list(self._found(going, loose))
        return [*found, *self._caches(is_older)] if everything else found

    def _found(self, going: set[str], loose: set[str]) -> Iterator[Item]:
        """The items: snapshots with the contents of files that only they have, and the rest together."""
        kept, rest = self._kept, set(loose)
        documents = {digest: {each.path.split("/")[1]: each for each in kept.documents[digest]} for digest in going}
        for digest in sorted(going, key=lambda digest: max(each.used_s for each in kept.documents[digest])):
            if snapshot := documents[digest].get("snapshots"):
                contents = sorted(kept.names_in(digest) & rest)
                rest.difference_update(contents)
                files = [snapshot, *(kept.objects[each] for each in contents)]
                yield _item(snapshot.path, self._snapshot(digest), files, snapshot.used_s)
        yield from _group(CONTENTS, [kept.objects[digest] for digest in sorted(rest)])
        for words, kind in ((SUBMISSIONS, "provenance"), (PACKAGES, "packages"), (RAN, "ran")):
            yield from _group(words, [each[kind] for _, each in sorted(documents.items()) if kind in each])

    def _caches(self, is_older: Callable[[float], bool]) -> Iterator[Item]:
        kept = self._kept
        old = [each for each in kept.caches if kept.is_old(each, CACHE_S) and is_older(each.used_s)]
        for words in (SEEN, DEFINITIONS):
            yield from _group(words, [each for each in old if each.path.startswith(f"{words[0]}/")])

    def _snapshot(self, digest: str) -> str:
        """A snapshot as people know it: `snapshot 8c1f2e0 of digits, 214 files`."""
        try:
            manifest = CodeStore(self._kept.workspace).manifest(digest)
        except SnapshotError:
            return f"snapshot {short(digest)}, damaged"
        return f"snapshot {short(digest)} of {', '.join(manifest.trees)}, {plural(len(manifest.entries), 'file')}"


def named_by(naming: Naming, items: Collection[Item]) -> set[str]:
    """What some jobs and directories name, by the server and by their records."""
    found: set[str] = set()
    for item in items:
        if item.identity:
            found |= naming.by_server(item.identity)
        if item.path and item.kind in (Kind.OLD, Kind.FAILED, Kind.ORPHANS):
            found |= naming.by_directory(item.path)
    return found


def _group(words: tuple[str, str, str], files: list[Kept]) -> Iterator[Item]:
    if files:
        path, one, many = words
        what = f"1 {one}" if len(files) == 1 else f"{len(files)} {many}"
        yield _item(path, what, files, max(each.used_s for each in files))


def _item(path: str, what: str, files: list[Kept], used_s: float) -> Item:
    size, parts = sum(each.size for each in files), tuple(each.path for each in files)
    return Item(Kind.CODE, path, what=what, changed_s=used_s, size=size, parts=parts)
