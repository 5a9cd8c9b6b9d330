"""Cancel and retry: the question with the number of jobs, the form that acts, and the answer.

Owns: the way from one to the next. One job of which nothing is lost needs no question, as for the commands.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from xpm_cli.lookup.targets import CANCELLABLE, LISTED, Targets, retried_states
from xpm_cli.page.acting.answers import Answer
from xpm_cli.page.acting.deeds import begin
from xpm_cli.page.acting.plans import Plan, Shelf
from xpm_cli.page.acting.refusing import refused
from xpm_cli.page.rendering import links_of, page
from xpm_core.filters import Filter, from_options, parse
from xpm_core.states import State

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.page.desk.desk import Desk
    from xpm_core.reading.listing.row import JobRow
    from xpm_core.reading.look import View

SOON_S = 1.0
"""How long a form waits for the end of the act, seconds. Mostly the answer is then there at once."""
GONE = "This question is older than an hour, was answered already, or the page was started anew. Look at it again."
_IDENTITY = re.compile(r"[0-9a-f]{64}")
NONE_CHOSEN = ["No job is chosen.", "Go back, and choose jobs by the boxes at the left."]


@dataclass
class Acting:
    """What the page remembers of acts: questions that were asked, and their answers.

    Attributes:
        plans: What was shown with each question.
        answers: What came of it.
        turn: Held while a plan becomes an answer. A form that is sent twice at once finds one of the two.
    """

    plans: Shelf[Plan] = field(default_factory=Shelf)
    answers: Shelf[Answer] = field(default_factory=Shelf)
    turn: threading.Lock = field(default_factory=threading.Lock)


def routes() -> list[Route]:
    """The URLs: a question, the form that it sends, and the answer."""
    return [
        *(Route(f"/acting/{verb}", handler, methods=["GET", "POST"]) for verb, handler in _HANDLERS.items()),
        Route("/acting/answer/{key}", answered),
    ]


def _cancel(request: Request) -> Response:
    return _handle(request, "cancel")


def _retry(request: Request) -> Response:
    return _handle(request, "retry")


_HANDLERS = {"cancel": _cancel, "retry": _retry}


def _handle(request: Request, verb: str) -> Response:
    if not request.app.state.guard.acts:
        return refused(request, verb)
    return _act(request, verb) if request.method == "POST" else _ask(request, verb)


def _ask(request: Request, verb: str, notice: str = "") -> Response:
    """The question: how many jobs it is about, what is lost, and a form."""
    desk: Desk = request.app.state.desk
    desk.opened.check()
    query = request.query_params
    chosen = [*query.getlist("job"), *(each for each in query.get("ids", "").split(",") if each)]
    text = query.get("filter", "")
    if "chosen" in query and not chosen:  # else this would be about all jobs
        return page(request, "error.jinja", status=400, lines=NONE_CHOSEN)
    with desk.reading() as view:
        rows = _named(view, chosen) if chosen else _matching(view, verb, text)
        fitting = [row for row in rows if row.state in _states(verb, text, named=bool(chosen))]
        targets = _targets(desk, view, fitting, verb, named=bool(chosen))
        lines = list(targets.would(verb)) if fitting else []
    losing = frozenset(row.identity for row in fitting if targets.loses(row))
    plan = Plan(verb, None if chosen else text, tuple(row.identity for row in fitting), losing)
    key = _remembered(request).plans.put(plan) if fitting else ""
    return page(
        request,
        "acting_question.jinja",
        status=409 if notice else 200,
        notice=notice,
        verb=verb,
        plan=plan,
        key=key,
        lines=lines,
        question=targets.question(verb),
        chosen=chosen,
        passed=len(rows) - len(fitting),
        done=sum(row.state is State.DONE for row in fitting),
    )


def _act(request: Request, verb: str) -> Response:
    """Act on what was shown, or on one job of which nothing is lost."""
    fields = request.app.state.guard.posted(request)
    desk: Desk = request.app.state.desk
    remembered = _remembered(request)
    desk.opened.check()  # before the plan is taken: a form that is sent twice is to find one of plan and answer
    if key := "".join(fields.get("plan", [])[:1]):
        answer = _planned(desk, remembered, verb, key, fields.get("digest", []))
        if answer is None:
            return _ask(request, verb, GONE)
    else:
        named = fields.get("job", [])
        if len(named) != 1 or not named[0]:
            return _ask(request, verb, "Name one job, or act on what a filter matches." if not named else GONE)
        with desk.reading() as view:
            plan = Plan(verb, None, (view.job(named[0]).identity,))
        answer = _begun(desk, plan)
        key = remembered.answers.put(answer)
    answer.ended.wait(SOON_S)
    return RedirectResponse(links_of(request).answer(key), 303)


def _planned(desk: Desk, remembered: Acting, verb: str, key: str, digests: Sequence[str]) -> Answer | None:
    """What comes of the plan of a form, which may be sent twice; None if there is no such plan any more."""
    with remembered.turn:
        if (known := remembered.answers.get(key)) is not None:
            return known
        plan = remembered.plans.take(key)
        if plan is None or plan.stale or plan.verb != verb or plan.digest not in digests:
            return None
        answer = _begun(desk, plan)
        remembered.answers.put(answer, key)
        return answer


def _begun(desk: Desk, plan: Plan) -> Answer:
    return begin(desk, plan, lambda: _newcomers(desk, plan))


def answered(request: Request) -> Response:
    """What came of an act. While it goes on, how far it is."""
    answer = _remembered(request).answers.get(request.path_params["key"])
    if answer is None:
        lines = ["The page does not know this act any more.", "Each job says itself how it stands."]
        return page(request, "error.jinja", status=404, lines=lines)
    return page(request, "acting_answer.jinja", answer=answer, going=not answer.ended.is_set())


def _remembered(request: Request) -> Acting:
    found: Acting = request.app.state.acting
    return found


def _named(view: View, names: Sequence[str]) -> list[JobRow]:
    """The jobs of these names, each once. Those with a whole identity, as the page itself names jobs, are read at once.

    Raises:
        UnknownJobError, AmbiguousJobError: As for `View.job`.
    """
    whole = {row.identity: row for row in view.rows(name for name in names if _IDENTITY.fullmatch(name))}
    found = (whole.get(name) or view.job(name) for name in names)
    return list({row.identity: row for row in found}.values())


def _states(verb: str, text: str, *, named: bool) -> tuple[State, ...]:
    """The states in which the verb does something. Done jobs are retried if they are named, or asked for."""
    if verb == "cancel":
        return CANCELLABLE
    return retried_states(from_options(state=[State.DONE.value]) if named else _parsed(text))


def _matching(view: View, verb: str, text: str) -> list[JobRow]:
    """The jobs that match, as they were listed: nothing is read of the server for most of them."""
    ranking = view.ranked(_parsed(text) & from_options(state=[each.value for each in _states(verb, text, named=False)]))
    return list(view.known(ranking.window(0, len(ranking))))


def _parsed(text: str) -> Filter:
    return parse(text) if text.strip() else Filter()


def _targets(desk: Desk, view: View, rows: list[JobRow], verb: str, *, named: bool) -> Targets:
    """The jobs as the commands show them. Those that lose something stand first, and the first ones are read."""
    ends = verb == "cancel"
    ordered = sorted(rows, key=lambda row: not (ends and row.state is State.RUNNING))
    first = {row.identity: row for row in view.rows(row.identity for row in ordered[:LISTED])}
    shown = [first.get(row.identity, row) for row in ordered[:LISTED]]
    return Targets(desk.opened, [*shown, *ordered[LISTED:]], named, ends)


def _newcomers(desk: Desk, plan: Plan) -> int:
    """How many jobs match by now that were not shown."""
    if plan.filter is None:
        return 0
    shown = set(plan.identities)
    with desk.reading() as view:
        return sum(row.identity not in shown for row in _matching(view, plan.verb, plan.filter))
