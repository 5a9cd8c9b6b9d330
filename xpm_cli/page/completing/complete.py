"""`GET /complete?text=…`: what can come next in a filter. The text is what stands before the caret.

The answer is JSON: the piece of the last word that was typed, and the words that can take its place.

    {"piece": "lr=0", "words": [{"word": "0.1", "about": "12 jobs", "more": false}]}

Owns: what is remembered between two keys. Values are counted once, and again only after jobs have changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from xpm_cli.page.completing.unfinished import unfinished
from xpm_cli.page.completing.words import Word, proposed, values
from xpm_core.filters.syntax import Name

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.page.desk.desk import Desk


def routes() -> list[Route]:
    """The URL of the completion."""
    return [Route("/complete", complete)]


def complete(request: Request) -> Response:
    """What can come next."""
    text = request.query_params.get("text", "")
    found = unfinished(text)
    if found is None:
        return JSONResponse({"piece": "", "words": []})
    desk: Desk = request.app.state.desk
    with desk.reading() as view:
        vocabulary = view.vocabulary

    def values_of(name: Name) -> list[Word]:
        key = "values", str(name)
        return desk.remembered(key, lambda view: values(view.vocabulary, name, view.known()))

    words = proposed(text, found, vocabulary, values_of)
    return JSONResponse({"piece": found.piece, "words": [word._asdict() for word in words]})
