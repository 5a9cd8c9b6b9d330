"""A request that is refused: a status, and one sentence of plain text that says what to do."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, sentence: str) -> None:
    """Answer a request with a sentence. A browser shows it as text, whatever it holds.

    Args:
        scope, receive, send: Those of the request.
        status: The status of HTTP, such as 403.
        sentence: What is wrong and what to do.
    """
    await PlainTextResponse(f"{sentence}\n", status)(scope, receive, send)
