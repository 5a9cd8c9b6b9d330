"""Run documents: the fenced blocks of a Markdown file, in order, in a folder of their own.

`from helpers.documents import play`, or `play_in_order` for pages that a reader works through one after the other. The
first words of a block say what it is:

- `python`: run in one module, which the document fills. With a first line such as `# sweep.py`, it is that file.
- `pycon`: run there, too. The output must be the one in the document (`...` stands for anything).
- `console`: a shell runs each line after `$ `. The standard output must be the one in the document. If the shell has a
  terminal, the document shows its screen. `export NAME=VALUE` and `cd FOLDER` hold for all lines that follow. A line
  `^C` in the output is Ctrl-C: it is pressed once the screen is as above this line; at the end, it is as below it.
- `diff`, with a first line such as `--- sweep.py`: a change of that file.
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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from helpers.import_folders import forget_modules
from helpers.user_scripts import in_terminal

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w./]+\.\w+)\n")
CHANGED = re.compile(r"--- ([\w./]+\.\w+)\n")
CODE = re.compile(r"^code [0-9a-f]{7}: .*\n", re.MULTILINE)
"""The line that says which code was submitted. A page shows it once, and leaves it out from then on."""
KEPT = re.compile(r"export (?P<name>\w+)=(?P<value>\S+)|cd (?P<folder>\S+)")
COLUMNS = 200
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


def idle_blocks(document: Path) -> list[tuple[str, int]]:
    """The blocks of a document that playing it passes over: each one's kind and line."""
    return [
        (block.kind, block.line)
        for block in blocks(document)
        if not (block.file or block.kind in ("python", "pycon", "console") or CHANGED.match(block.text))
    ]


def agree(wanted: str, shown: str) -> bool:
    """Whether an output is the one in the document, with or without the line that says which code was submitted."""
    outputs = (f"{shown.rstrip()}\n", f"{CODE.sub('', shown).rstrip()}\n")
    return any(doctest.OutputChecker().check_output(wanted, each, OPTIONS) for each in outputs)


def changed(text: str, change: str) -> str:
    """Change a text. The lines of the change begin with `+`, `-` or a blank; its old lines must stand there once."""
    lines = change.splitlines(keepends=True)
    before = "".join(line[1:] or line for line in lines if line[0] != "+")
    after = "".join(line[1:] or line for line in lines if line[0] != "-")
    assert text.count(before) == 1, f"{text}\nhas not once:\n{before}"
    return text.replace(before, after)


@dataclass
class Shell:
    """Runs command lines.

    Attributes:
        folder: Where the next line runs.
        variables: What the shell has beside this process's own variables.
        terminal: Whether it has a terminal.
    """

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    terminal: bool = False

    def run(self, command: str, ctrl_c: Callable[[str], bool] | None = None) -> tuple[str, str]:
        """Run a line; returns what a document shows of that, and what it does not show.

        Args:
            command: The line.
            ctrl_c: Ctrl-C is pressed as soon as this is true of the screen.
        """
        if kept := KEPT.fullmatch(command):
            self._keep(kept)
            return "", ""
        path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
        added = {**self.variables, "PATH": path}
        if self.terminal:
            words = ("/bin/sh", "-c", command)
            screen = in_terminal(*words, cwd=self.folder, env=added, columns=COLUMNS, ctrl_c=ctrl_c)
            return f"{screen}\n", ""
        assert ctrl_c is None, "only a terminal has Ctrl-C"
        environment = {**os.environ, **added, "COLUMNS": str(COLUMNS)}
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120
        )
        return done.stdout, done.stderr

    def _keep(self, found: re.Match[str]) -> None:
        """Do what a shell keeps for its next lines."""
        if found["folder"]:
            self.folder = self.folder / found["folder"]
        else:
            self.variables[found["name"]] = found["value"]


class Player:
    """Runs the blocks of one document.

    Args:
        document: Where the blocks are.
        shell: Runs the blocks of commands. Blocks that are files are written where it stands.
    """

    def __init__(self, document: Path, shell: Shell) -> None:
        self.document, self.shell = document, shell
        self.blocks = list(blocks(document))
        self.module = ModuleType(document.stem)
        self.module.__file__ = str(shell.folder / f"{document.stem}.py")
        self.write_module()

    def write_module(self) -> None:
        """Let the module's file have the blocks of the document in the lines where they stand in it."""
        lines: list[str] = []
        for block in self.blocks:
            if block.kind == "python" and block.file is None:
                lines += [""] * (block.line - len(lines)) + block.text.splitlines()
        if not lines:
            return
        Path(str(self.module.__file__)).write_text("\n".join(lines) + "\n")

    def play(self) -> None:
        for block in self.blocks:
            if block.file is not None:
                file = self.shell.folder / block.file
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text)
            elif block.kind == "python":
                code = "\n" * block.line + block.text
                exec(compile(code, str(self.module.__file__), "exec", dont_inherit=True), vars(self.module))
            elif block.kind == "pycon":
                self.session(block)
            elif block.kind == "console":
                self.console(block)
            elif block.kind == "diff" and (found := CHANGED.match(block.text)):
                file = self.shell.folder / found[1]
                file.write_text(changed(file.read_text(), block.text[found.end() :]))

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
            live, pressed, last = wanted.rpartition("^C\n")
            shown, hidden = self.shell.run(command, partial(agree, live) if pressed else None)
            seen = f"{self.document.name}:{block.line}: $ {command}\n{shown}\n{hidden}"
            assert agree(last, shown), seen


def play(document: Path, folder: Path, environment: dict[str, str]) -> None:
    """Run a document; the current directory is the folder. Warnings of xpm are part of what it shows."""
    play_in_order([document], Shell(folder, environment))


def play_in_order(documents: Iterable[Path], shell: Shell) -> None:
    """Run pages one after the other, as a reader types them into one shell."""
    folder, before, here = shell.folder, list(sys.path), os.getcwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for document in documents:
                player = Player(document, shell)
                sys.modules[player.module.__name__] = player.module
                player.play()
                del sys.modules[player.module.__name__]
    finally:
        sys.path[:] = before
        os.chdir(here)
        forget_modules(folder)
