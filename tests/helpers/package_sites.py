"""Folders of installed packages, with sources of the user, for tests. `from helpers.package_sites import Site, git`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from xpm_core.snapshot.facts.installed import installed
from xpm_core.snapshot.facts.sources import Source, sources


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, and return what it prints."""
    options = ["-c", "user.name=me", "-c", "user.email=me@lab", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *options, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


class Site:
    """A folder of installed packages, and a folder of sources."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lab = folder / "site", folder / "lab"
        for name, text in (("lab/__init__.py", ""), ("lab/model.py", "layers = 3\n")):
            place = self.lab / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)

    def install(self, name: str, direct_url: Any = None, record: str | None = None) -> None:
        """Write the metadata of a package of version 1.0."""
        place = self.folder / f"{name}-1.0.dist-info"
        place.mkdir(parents=True)
        (place / "METADATA").write_text(f"Name: {name}\n")
        if direct_url is not None:
            text = direct_url if isinstance(direct_url, str) else json.dumps(direct_url)
            (place / "direct_url.json").write_text(text)
        if record is not None:
            (place / "RECORD").write_text(record)

    @property
    def found(self) -> dict[str, Source]:
        """The packages that come from no index."""
        path = [str(self.folder)]
        return sources(installed(path), path)

    def facts(self, name: str) -> dict[str, Any]:
        """What is recorded of one of them."""
        source = self.found[name]
        return source.facts(source.look())
