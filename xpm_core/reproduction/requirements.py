"""The packages of an execution as requirements.txt, and how they differ from those of this process.

Owns: which of the recorded packages a version pins. The record is a document of `xpm_core.snapshot`: by name the
versions, and for packages from no index where they came from.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from xpm_core.errors import SnapshotError
from xpm_core.labels import short
from xpm_core.project.moved_code import MovedCode
from xpm_core.words.text import line

LONGEST = 500
"""Characters of a recorded text that are shown."""


@dataclass(frozen=True)
class Packages:
    """The packages of an environment, as they were recorded.

    Attributes:
        python: The version of Python.
        versions: The version of each package, by name; empty if it did not say.
        sources: Of packages from no index: where they came from.
    """

    python: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, document: bytes) -> Packages:
        """Read a document.

        Raises:
            SnapshotError: It is malformed.
        """
        try:
            found = json.loads(document)
            versions = {str(name): str(version) for name, version in found["packages"].items()}
            sources = {str(name): dict(source) for name, source in found.get("sources", {}).items()}
            return cls(str(found.get("python", "")), versions, sources)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise SnapshotError("packages", "the record of them is malformed", "Run the job again.") from None


def requirements(packages: Packages, kept: MovedCode) -> list[str]:
    """The lines of requirements.txt.

    Args:
        packages: The packages.
        kept: Where the files of the snapshot are now.

    Example:
        >>> requirements(Packages("3.12.4", {"numpy": "2.1.3"}), UNMOVED)
        ['# Python 3.12.4', 'numpy==2.1.3']
    """
    lines = [f"# Python {packages.python}"] if packages.python else []
    for name, version in packages.versions.items():
        source = packages.sources.get(name)
        if source is None:
            lines.append(f"{name}=={version}" if version else f"# {name}: no version was recorded")
        else:
            lines.append(_from_source(name, version, source, kept))
    return [line(each, LONGEST) for each in lines]


def unpinned(packages: Packages, kept: MovedCode) -> Iterator[str]:
    """The packages that requirements.txt does not pin, each with the reason. The arguments are those above."""
    for name, version in packages.versions.items():
        source = packages.sources.get(name)
        if source is None and not version:
            yield f"{name}: no version was recorded"
        elif source is not None and _url(name, source) is None and not is_kept(packages, name, kept):
            yield f"{name} {version}: {_described(source)}. No index has it"


def is_kept(packages: Packages, name: str, kept: MovedCode) -> bool:
    """Whether the files of a package are in the snapshot."""
    folder = str(packages.sources.get(name, {}).get("folder", ""))
    return kept.here(folder) != folder


def differences(then: Packages, now: Packages) -> Iterator[tuple[str, str]]:
    """The packages of then that differ from those of today, sorted: the name of each, and what differs."""
    for name, version in sorted(then.versions.items()):
        here = now.versions.get(name)
        if here is None:
            yield name, f"{name} {version} then, not installed here"
        elif here != version:
            yield name, f"{name} {version} then, {here} here"
        elif _content(then, name) != _content(now, name):
            yield name, f"{name} {version}: its files are others here"


def _content(packages: Packages, name: str) -> Any:
    source = packages.sources.get(name, {})
    return source.get("digest") or source.get("hash") or source.get("commit")


def _from_source(name: str, version: str, source: Mapping[str, Any], kept: MovedCode) -> str:
    folder = str(source.get("folder", ""))
    if (url := _url(name, source)) is not None:
        return url
    said = f"# {name} {version}: {_described(source)}"
    if kept.here(folder) != folder:
        return f"{said}. Its files are in {kept.here(folder)}."
    return f"{said}. To install what is there now: pip install {shlex.quote(folder)}" if folder else said


def _url(name: str, source: Mapping[str, Any]) -> str | None:
    """The line for a package of a repository or an archive; None if that says too little, or is hidden in part."""
    url, commit, digest = (str(source.get(key, "")) for key in ("url", "commit", "hash"))
    if not url or "***" in url:
        return None
    if commit:
        return f"{name} @ {'' if '+' in url.partition(':')[0] else 'git+'}{url}@{commit}"
    return f"{name} @ {url}#{digest}" if digest else None


def _described(source: Mapping[str, Any]) -> str:
    """Where a package came from, as people read it."""
    folder = source.get("folder")
    parts = [f"from {folder or source.get('url') or 'an unknown place'}"]
    if source.get("editable"):
        parts.append("editable")
    if commit := source.get("commit"):
        changes = {True: " with changes", False: "", None: ", changes not known"}[source.get("dirty")]
        parts.append(f"git commit {short(str(commit))}{changes}")
    if digest := source.get("digest"):
        parts.append(f"{source.get('files', '?')} Python files of SHA-256 {short(str(digest))}")
    return ", ".join(parts)
