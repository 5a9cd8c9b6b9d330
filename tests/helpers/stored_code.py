"""Code that a workspace keeps, made by hand: snapshots, how tasks were submitted, and the packages.

`from helpers.stored_code import Code`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import KeptFile, Manifest
from xpm_core.snapshot.provenance import Provenance, Tree

DAY_S = 86400.0


class Code:
    """Writes kept code, and lets it grow old.

    Attributes:
        store: Where it is kept.
    """

    def __init__(self, workspace: Path) -> None:
        self.workspace, self.store = workspace, CodeStore(workspace)

    def snapshot(self, **files: str) -> str:
        """Keep files, by name without `.py`; returns the digest of their snapshot."""
        kept = [
            KeptFile(0, f"{name}.py", 0o644, self.store.put_object(text.encode()), len(text.encode()))
            for name, text in files.items()
        ]
        return self.store.put("snapshots", Manifest(["digits"], list(kept)).data)

    def provenance(self, snapshot: str, packages: str = "", script: str = "sweep.py") -> str:
        """Keep how tasks were submitted; returns the digest."""
        told = Provenance(snapshot, [Tree("digits", ["/home/me/digits"])], script=script, packages=packages)
        return self.store.put("provenance", told.written())

    def packages(self, text: str) -> str:
        """Keep a list of packages; returns its digest."""
        return self.store.put("packages", text.encode())

    def age(self, days: float = 8) -> None:
        """Let all that is kept have been used so many days ago."""
        moment = time.time() - days * DAY_S
        for path in self.workspace.joinpath("code").rglob("*"):
            os.utime(path, (moment, moment), follow_symlinks=False)

    @property
    def there(self) -> set[str]:
        """What is kept, as digests. Trash does not count."""
        files = [path for path in self.workspace.joinpath("code").rglob("*") if path.is_file()]
        relative = [path.relative_to(self.workspace / "code").parts for path in files]
        return {"".join(parts[1:]) for parts in relative if not parts[0].startswith(".")}

    def contents(self, snapshot: str) -> set[str]:
        """The digests of a snapshot's files."""
        return {file.digest for file in self.store.manifest(snapshot).files}
