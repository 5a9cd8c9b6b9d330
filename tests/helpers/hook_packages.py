"""Packages with hooks, installed into a folder as pip does it: the code, and facts with entry points beside it."""

from __future__ import annotations

import textwrap
from pathlib import Path


def install(folder: Path, code: str, *names: str, package: str = "labhooks") -> Path:
    """Install a package of one module that registers these of its functions as hooks of the same names.

    Args:
        folder: A folder on the path on which Python looks for packages.
        code: The module.
        names: The hooks.
        package: The name of the package, and of its module.
    """
    folder.mkdir(exist_ok=True)
    (folder / f"{package}.py").write_text(textwrap.dedent(code))
    facts = folder / f"{package}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    entries = "\n".join(f"{name} = {package}:{name}" for name in names)
    (facts / "entry_points.txt").write_text(f"[xpm.hooks]\n{entries}\n")
    return folder
