"""What a script says of jobs that it does not wait for: jobs of earlier runs, and its own when it stops watching.

Owns: the words, which jobs they count, and cancelling the jobs that have not started.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from xpm_core.reading.reader import Reader
from xpm_core.server.connection import OUTAGES, ServerError
from xpm_core.states import SETTLED, State
from xpm_core.store.records import CancelCode
from xpm_core.tracebacks.prompt import at_prompt, rerun
from xpm_core.words.text import plural, say

if TYPE_CHECKING:
    from xpm_core.index.writers import EndWriter
    from xpm_core.script.follow.tracker import Tracker
    from xpm_core.store.jobs import Store
    from xpm_core.words.commands import Commands

SECOND_CTRL_C_S = 2.0
"""How long after a Ctrl-C another one counts as the second."""
NAMED = 8
"""Jobs named in a command before it is cut."""

BATCH = 100
"""How many jobs are cancelled in one round trip. If a third Ctrl-C comes before the answer, nobody notes these."""

_UNSTARTED = (State.WAITING, State.READY, State.DELAYED, State.BLOCKED)


def unfinished(name: str, store: Store, own: Collection[str], commands: Commands) -> str:
    """The message about an experiment's unfinished jobs of earlier runs; empty if there are none.

    Args:
        name: The experiment's.
        store: Where the jobs are.
        own: Identities of this run's jobs.
        commands: Writes the command lines.
    """
    reader = Reader.of(store)
    if reader.experiments.size(name) <= len(own):  # all of this run's jobs belong to the experiment
        return ""
    earlier = [identity for identity in reader.experiments.identities(name) if identity not in own]
    states = reader.jobs.states(earlier)
    found = [identity for identity, (state, _) in states.items() if state not in SETTLED]
    if not found:
        return ""
    jobs = plural(len(found), "unfinished job")
    more = f" (and {len(found) - NAMED} more, see {commands.status()})" if len(found) > NAMED else ""
    return f"{name}: {jobs} of earlier runs: not waited for. To cancel: {commands.cancel(*found[:NAMED])}{more}"


def standing(tracker: Tracker, store: Store) -> dict[str, State]:
    """Return how a run's jobs stand at this moment, in the order of their submission.

    The script may not have read the latest events yet. So the server is asked about the jobs that are not settled. If
    it does not answer, the states that the script knows count.

    Args:
        tracker: Knows the run's jobs.
        store: On a connection that gives up soon, because the script is about to leave.
    """
    states = tracker.states()
    unsettled = [identity for identity, state in states.items() if not state.settled]
    if not tracker.outage.reason:
        with contextlib.suppress(ServerError):
            found = Reader.of(store).jobs.states(unsettled)
            states.update((identity, state) for identity, (state, _) in found.items())
    return states


def going_on(name: str, states: Mapping[str, State], commands: Commands) -> str:
    """The message that says what becomes of a run's jobs when nobody watches them any more."""
    counts = Counter(states.values())
    words = ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state] and not state.settled)
    if not words:
        return "No job is unfinished."
    return f"Its jobs go on ({words}). To attach again, {rerun()}. To cancel: {commands.cancel_all(name)}"


def stopped(name: str, states: Mapping[str, State], commands: Commands) -> str:
    """The message that a script no longer watches its jobs, and what becomes of them."""
    return f"{name}: stopped watching. {going_on(name, states, commands)}"


def interrupted(
    name: str, stand: Callable[[], Mapping[str, State]], store: Store, ends: EndWriter, commands: Commands
) -> None:
    """Ctrl-C was pressed: say that the jobs go on. If it is pressed again soon, cancel the jobs that have not started.

    Args:
        name: The experiment's.
        stand: Returns the states of the run's jobs.
        store: Cancels them.
        ends: Gets the ends of those that are cancelled.
        commands: Writes the command lines.
    """
    try:
        with undisturbed():  # the second Ctrl-C means something only after the message
            states = stand()
        say(f"\n{stopped(name, states, commands)}")
        if not any(state in _UNSTARTED for state in states.values()):
            return
        say(f"Ctrl-C again within {SECOND_CTRL_C_S:.0f} s also cancels what has not started.")
        time.sleep(SECOND_CTRL_C_S)
    except KeyboardInterrupt:
        cancel_unstarted(name, stand, store, ends)
    finally:
        if threading.current_thread() is threading.main_thread() and not at_prompt():
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # one more ends the script, without a traceback


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore Ctrl-C for the short time that it takes to stop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: None)  # not SIG_IGN, which children would inherit
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end what is done here, and nothing else, also within `undisturbed`. Nothing is raised then."""
    with contextlib.suppress(KeyboardInterrupt):
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def end(number: int, frame: object) -> None:
            signal.signal(signal.SIGINT, lambda number, frame: None)  # a second one has nothing to end
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGINT, end)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def cancel_unstarted(name: str, stand: Callable[[], Mapping[str, State]], store: Store, ends: EndWriter) -> None:
    """Cancel this run's jobs that have not started, the last ones first, because workers take the first ones."""
    cancelled, asked = 0, list[str]()
    with contextlib.suppress(KeyboardInterrupt):  # a third Ctrl-C
        try:
            unstarted = [identity for identity, state in stand().items() if state in _UNSTARTED][::-1]
            for start in range(0, len(unstarted), BATCH):
                asked, asked_s = unstarted[start : start + BATCH], time.time()
                answers = store.cancel_each((identity, True) for identity in asked)
                errors = [answer for answer in answers if isinstance(answer, Exception)]
                codes = (None if isinstance(answer, Exception) else answer[0] for answer in answers)
                found = [each for each, code in zip(asked, codes, strict=True) if code is CancelCode.CANCELLED]
                ends.cancelled(found, asked_s)
                cancelled, asked = cancelled + len(found), []
                if errors:
                    raise errors[0]
        except OUTAGES as error:
            say(f"{name}: Redis is out of reach ({error}), so not all could be cancelled.")
    unsure = f" The server has not answered about {plural(len(asked), 'more job')}." if asked else ""
    say(f"{name}: {cancelled} jobs cancelled that had not started.{unsure}")
