"""Run documents: the fenced blocks of a Markdown file, in order, in a folder of their own.

`from helpers.documents import play`. The first words of a block say what it is:

- `python`: run in one module, which the document fills. With a first line such as `# sweep.py`, it is that file.
- `pycon`: run there, too. The output must be the one in the document (`...` stands for anything).
- `console`: a shell runs each line after `$ ` in the folder. The standard output must be the one in the document.
- any other word, with a first line such as `# sweep.yaml`: that file.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from helpers.import_folders import forget_modules

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w./]+\.\w+)\n")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    kind: str
    line: int
    text: str

    @property
    def file(self) -> str | None:
        """The name of the file that it is, if it is one."""
        found = FILE.match(self.text)
        return found[1] if found else None


def blocks(document: Path) -> Iterator[Block]:
    """The fenced blocks of a document, each with the number of the line before its first."""
    text = document.read_text()
    for match in FENCE.finditer(text):
        yield Block(match[1], text.count("\n", 0, match.start(2)), match[2])


class Player:
    """Runs the blocks of one document."""

    def __init__(self, document: Path, folder: Path, environment: dict[str, str]) -> None:
        self.document, self.folder = document, folder
        self.environment = {**os.environ, **environment, "COLUMNS": "200"}
        self.environment["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
        self.blocks = list(blocks(document))
        self.module = ModuleType(document.stem)
        self.module.__file__ = str(folder / f"{document.stem}.py")
        self.write_module()

    def write_module(self) -> None:
        """Let the module's file have the blocks of the document in the lines where they stand in it."""
        lines: list[str] = []
        for block in self.blocks:
            if block.kind == "python" and block.file is None:
                lines += [""] * (block.line - len(lines)) + block.text.splitlines()
        Path(str(self.module.__file__)).write_text("\n".join(lines) + "\n")

    def play(self) -> None:
        for block in self.blocks:
            if block.file is not None:
                file = self.folder / block.file
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text)
            elif block.kind == "python":
                code = "\n" * block.line + block.text
                exec(compile(code, str(self.module.__file__), "exec", dont_inherit=True), vars(self.module))
            elif block.kind == "pycon":
                self.session(block)
            elif block.kind == "console":
                self.console(block)

    def session(self, block: Block) -> None:
        name = f"{self.document.name}:{block.line}"
        test = doctest.DocTestParser().get_doctest(block.text, vars(self.module), name, str(self.document), block.line)
        said: list[str] = []
        runner = doctest.DocTestRunner(verbose=False, optionflags=OPTIONS)
        runner.run(test, out=said.append, clear_globs=False)
        vars(self.module).update(test.globs)
        assert not said, "\n" + "".join(said)

    def console(self, block: Block) -> None:
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, wanted = part.partition("\n")
            result = subprocess.run(
                command, shell=True, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120
            )
            seen = f"{self.document.name}:{block.line}: $ {command}\n{result.stdout}\n{result.stderr}"
            assert doctest.OutputChecker().check_output(wanted, result.stdout, OPTIONS), seen


def play(document: Path, folder: Path, environment: dict[str, str]) -> None:
    """Run a document; the current directory is the folder. Warnings of xpm are part of what it shows."""
    player = Player(document, folder, environment)
    before = list(sys.path)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.modules[player.module.__name__] = player.module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            player.play()
    finally:
        sys.path[:] = before
        del sys.modules[player.module.__name__]
        forget_modules(folder)
