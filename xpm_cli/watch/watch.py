"""The loop of `xpm status --watch`: takes keys, asks the desk for pages, and draws them.

Owns: what each key does.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import click

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.terminal import Terminal
from xpm_cli.watch import keys
from xpm_cli.watch.board import FRAME, HELP, Board
from xpm_cli.watch.desk import Desk, Outage, Question
from xpm_cli.watch.keys import Keys
from xpm_cli.watch.pages import LISTS, Page, Pages, Request, Shown
from xpm_cli.watch.raw_terminal import RawTerminal, messages_held
from xpm_cli.watch.screen import Screen
from xpm_core.reading.listener import Listener
from xpm_core.words.text import plain, shows_glyphs

VIEWS = {"f": Shown.FAILURES, "w": Shown.WORKERS, "t": Shown.TOKENS}
VERBS = {"c": "cancel", "r": "retry"}
SAID_S = 20.0
"""How long a message is shown if no key is pressed, seconds."""
CLOCK_S = 1.0
"""How often the screen is drawn although no page came, seconds."""


def watch(opened: OpenWorkspace, experiment: str = "") -> None:
    """Show a workspace until somebody presses q.

    Args:
        opened: The workspace; its server can be had.
        experiment: The experiment whose jobs are shown; empty for all.
    """
    with messages_held(), RawTerminal(sys.stdin.fileno(), sys.stdout.fileno()) as terminal:
        desk = Desk(opened, Pages(opened, experiment), terminal.wake)
        listener = Listener(opened.view, desk.heard, desk.missed, desk.fail)
        board = Board(str(opened.workspace.path), opened.view.server)
        try:
            listener.start()
            desk.start()
            Watch(terminal, desk, board).run()
        except EOFError:  # the terminal is gone
            return
        finally:
            listener.close()
            desk.close()


@dataclass
class Cursor:
    """Where the user is in a list.

    Attributes:
        first: The place of the first job on the screen.
        place: The place of the chosen job.
        identity: The chosen job; empty as long as it is not known which job stands there.
        pinned: Whether the user has chosen it, so that it stays chosen.
    """

    first: int = 0
    place: int = 0
    identity: str = ""
    pinned: bool = False


@dataclass
class State:
    """What the user sees.

    Attributes:
        shown: The view.
        back: The list to which Esc leads back.
        job: The job of the views JOB and LOG.
        filter: Which jobs; empty for all.
        cursors: Where the user is in each list.
        scroll: The first line that is shown of a view that is no list.
        follows: Whether the end of the log is shown, also when it grows.
        typed: The filter that is being typed; None while none is.
        question: The question that is to be answered.
        said: What was said last, until a key is pressed or `SAID_S` is over.
        said_at: When.
        helps: Whether the keys are shown.
    """

    shown: Shown = Shown.JOBS
    back: Shown = Shown.JOBS
    job: str = ""
    filter: str = ""
    cursors: dict[Shown, Cursor] = field(default_factory=lambda: {each: Cursor() for each in LISTS})
    scroll: int = 0
    follows: bool = True
    typed: str | None = None
    question: Question | None = None
    said: list[str] = field(default_factory=list)
    said_at: float = 0.0
    helps: bool = False


class Watch:
    """A screen that takes keys.

    Args:
        terminal: The terminal.
        desk: Makes the pages.
        board: Lays them out.
    """

    def __init__(self, terminal: RawTerminal, desk: Desk, board: Board) -> None:
        self._terminal, self._desk, self._board = terminal, desk, board
        self._glyphs = shows_glyphs(sys.stdout)
        self._coloured = not os.environ.get("NO_COLOR")
        self._screen = Screen(terminal.write)
        self._keys = Keys()
        self._state = State()
        self._serial = 0
        self._page: Page | None = None
        self._outage: Outage | None = None
        self._held: list[str] = []
        self._rejected = self._last_typed = ""
        self._columns, self._lines = terminal.size

    def run(self) -> None:
        """Go on until a key ends it.

        Raises:
            EOFError: The terminal is gone.
            KeyboardInterrupt: Ctrl-C.
        """
        self._want()
        while True:
            self._take()
            if not self._press_held():
                return
            self._draw()
            data, changed = self._terminal.wait(keys.WAIT_S if self._keys.pending else CLOCK_S)
            if changed or self._terminal.size != (self._columns, self._lines):
                self._columns, self._lines = self._terminal.size
                self._screen.forget()
                self._want()
            self._held += self._keys.feed(data) if data else self._keys.rest()

    # -- drawing ---------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        state, columns = self._state, self._columns
        height = max(self._lines - FRAME, 0)
        lines = [self._board.head(state.shown, self._outage, columns)]
        if state.helps:
            lines += HELP.splitlines()[:height]
        elif (page := self._page) is not None:  # that of the view before, until the new one is made
            cursor = state.cursors.get(page.request.shown, Cursor())
            state.scroll = min(state.scroll, self._last_scroll())
            lines += self._board.body(page, cursor.place, state.scroll, columns, height)
        else:
            lines.append("reading …")
        lines += [""] * (self._lines - FRAME + 1 - len(lines))
        bottom = self._bottom()
        lines = [*lines[: max(self._lines - len(bottom), 0)], *bottom][-self._lines :]
        self._screen.draw([self._shown(each) for each in lines], columns, self._lines)

    def _shown(self, text: str) -> str:
        """A line as the terminal can show it."""
        if not self._coloured and "\x1b[7m" not in text:
            text = click.unstyle(text)
        return text if self._glyphs else plain(text).encode("ascii", "replace").decode()

    def _bottom(self) -> list[str]:
        state, terminal = self._state, Terminal(self._columns)
        if state.typed is not None:
            return self._board.prompt(state.typed, self._columns)
        if state.question is not None:
            *would, question = state.question.lines
            return [*self._board.said(would, terminal), question]
        if state.said and time.monotonic() < state.said_at + SAID_S:
            return self._board.said(state.said, terminal)
        return self._board.foot(self._columns)

    def _say(self, lines: list[str]) -> None:
        self._state.said, self._state.said_at = lines, time.monotonic()

    def _room(self) -> int:
        """How many lines of the page scroll."""
        above = len(self._page.above) if self._page is not None else 0
        return max(self._lines - FRAME - above - 1, 1)

    def _last_scroll(self) -> int:
        return max(len(self._page.lines) - self._room(), 0) if self._page is not None else 0

    # -- the desk --------------------------------------------------------------------------------------------------

    def _want(self) -> None:
        """Ask for the page that the user wants to see."""
        state, self._serial = self._state, self._serial + 1
        cursor = state.cursors.get(state.shown, Cursor())
        request = Request(
            state.shown, Terminal(self._columns, self._glyphs), max(self._lines - FRAME, 1), state.filter,
            cursor.first, cursor.place, cursor.identity, cursor.pinned, state.job, self._serial,
        )  # fmt: skip
        self._desk.want(request)

    def _take(self) -> None:
        """Take what the desk has."""
        found, state = self._desk.take(), self._state
        if found.error is not None:
            raise found.error
        self._outage = found.outage
        if found.question is not None:
            state.question = found.question
        if found.said is not None:
            self._say(found.said)
        if found.page is None or found.page is self._page or found.page.request.serial != self._serial:
            return
        at_end = state.scroll >= self._last_scroll()
        self._page = page = found.page
        if page.error and page.error != self._rejected:
            self._rejected = page.error
            self._say([page.error])
        if page.request.shown in LISTS:
            state.filter, cursor = page.request.filter, state.cursors[page.request.shown]
            cursor.first, cursor.place, cursor.identity = page.request.first, page.request.place, page.request.identity
        elif page.follows and (state.follows or at_end):
            state.scroll = self._last_scroll()

    # -- keys ------------------------------------------------------------------------------------------------------

    def _press_held(self) -> bool:
        """Do what the keys ask for that were pressed. Returns whether to go on.

        Keys can be typed faster than pages are made. One that needs the next page, and those after it, wait for it.
        """
        while self._held and not (self._lacks_page(self._held[0]) and self._outage is None):
            if not self._press(self._held.pop(0)):
                return False
        return True

    def _lacks_page(self, key: str) -> bool:
        """Whether a key is about something that the page that is still to come will show."""
        state, page = self._state, self._page
        if state.typed is not None or state.question is not None or state.helps or key == "q":
            return False
        if page is None or page.request.shown is not state.shown:
            return key in VERBS or key == keys.ENTER or self._move(key) is not None
        if state.shown not in LISTS or page.request.serial == self._serial:
            return False
        return (key in VERBS or key == keys.ENTER) and not self._chosen()

    def _press(self, key: str) -> bool:
        """Do what a key asks for. Returns whether to go on."""
        state = self._state
        if state.typed is not None:
            self._type(key, state.typed)
            return True
        state.said = []
        if state.question is not None:
            self._answer(key, state.question)
        elif key == "q":
            return False
        elif state.helps or key == "?":
            state.helps = not state.helps
        elif key in VIEWS:
            self._go(Shown.JOBS if state.shown is VIEWS[key] else VIEWS[key])
        elif key in VERBS:
            self._ask(VERBS[key])
        elif key == "/":
            state.typed = ""
        elif key in (keys.ENTER, keys.ESCAPE):
            self._open() if key == keys.ENTER else self._leave()
        elif (move := self._move(key)) is not None:
            self._choose(move) if state.shown in LISTS else self._scroll(move)
        return True

    def _answer(self, key: str, question: Question) -> None:
        self._state.question = None
        if key in ("y", "Y"):
            self._desk.act(question)
        else:
            self._say([question.no])

    def _type(self, key: str, text: str) -> None:
        """Type a filter. Enter uses it; an empty one, or Esc, shows all jobs. Up brings back the last one."""
        edits: dict[str, Callable[[], str]] = {
            keys.UP: lambda: self._last_typed,
            keys.BACKSPACE: lambda: text[:-1],
            keys.CLEAR: lambda: "",
            keys.WORD: lambda: text.rstrip().rpartition(" ")[0],
        }
        if key in edits:
            self._state.typed = edits[key]()
        elif len(key) == 1:
            self._state.typed = text + key
        elif key in (keys.ENTER, keys.ESCAPE):
            self._state.typed, self._rejected = None, ""
            self._last_typed = text.strip() or self._last_typed
            self._filter(text.strip() if key == keys.ENTER else "")

    def _filter(self, text: str) -> None:
        state = self._state
        if state.shown not in LISTS:
            state.shown = state.back
        if text != state.filter:
            state.filter = text
            state.cursors = {each: Cursor() for each in LISTS}
        self._want()

    def _go(self, shown: Shown) -> None:
        state = self._state
        if state.shown in LISTS:
            state.back = state.shown
        if shown in LISTS:
            state.back = shown
        state.shown, state.scroll, state.follows = shown, 0, True
        self._want()

    def _open(self) -> None:
        """Show the chosen job, or the log of the job that is shown."""
        state = self._state
        if state.shown is Shown.JOB:
            self._go(Shown.LOG)
        elif state.shown in LISTS and (identity := self._chosen()):
            state.job = identity
            self._go(Shown.JOB)

    def _leave(self) -> None:
        state = self._state
        if state.shown is Shown.LOG:
            self._go(Shown.JOB)
        elif state.shown in (Shown.FAILURES, Shown.WORKERS, Shown.TOKENS):
            self._go(Shown.JOBS)
        elif state.shown is Shown.JOB:
            self._go(state.back)
        elif state.filter:
            self._filter("")

    def _chosen(self) -> str:
        """The job that is chosen; empty if there is none."""
        state = self._state
        if state.shown not in LISTS:
            return state.job if state.shown in (Shown.JOB, Shown.LOG) else ""
        page = self._page
        if page is None or page.request.shown is not state.shown:
            return ""
        place = state.cursors[state.shown].place - page.request.first
        return page.jobs[place] if 0 <= place < len(page.jobs) else ""

    def _ask(self, verb: str) -> None:
        if identity := self._chosen():
            self._desk.ask(verb, identity)
        else:
            self._say(["No job is chosen. Choose one in the list of jobs: j and k."])

    # -- moving ----------------------------------------------------------------------------------------------------

    def _move(self, key: str) -> int | None:
        """How far a key moves; None if it does not."""
        page = max(self._room() - 1, 1)
        far = 10**9
        return {
            "j": 1, keys.DOWN: 1, "k": -1, keys.UP: -1, keys.PAGE_DOWN: page, keys.PAGE_UP: -page, " ": page,
            "g": -far, keys.HOME: -far, "G": far, keys.END: far,
        }.get(key)  # fmt: skip

    def _scroll(self, move: int) -> None:
        state, last = self._state, self._last_scroll()
        state.scroll = max(min(state.scroll + move, last), 0)
        state.follows = state.scroll >= last

    def _choose(self, move: int) -> None:
        """Choose another job. The first place of the list is where no job is followed."""
        page, cursor = self._page, self._state.cursors[self._state.shown]
        if page is None:
            return
        cursor.place = max(min(cursor.place + move, page.total - 1), 0)
        cursor.pinned = cursor.place > 0
        cursor.identity = ""
        cursor.identity = self._chosen()
        self._want()
