"""`xpm ui --export DIR`: a copy of the page as files, which opens from a disk and from a web share, without a script.

Owns: which files there are, and that a crash leaves the copy of before. May import all other rooms of the page.
"""

from __future__ import annotations

from xpm_cli.page.export.writing import Exported, write

__all__ = ["Exported", "write"]
