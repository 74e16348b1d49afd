"""What every answer carries, and whom none is given."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.address import names_this_machine

# Nothing from elsewhere is loaded, nobody else may show our pictures, and none is kept.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; "
    "script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class Guard:
    """Stands before the application.

    FastAPI's own way to do so puts a task and a queue before each part of a live picture.
    """

    def __init__(self, app: ASGIApp, home: bool) -> None:
        """`home`: served to this machine alone, so that nobody may come under another name."""
        self._app = app
        self._home = home

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = self._app
        if (
            scope["type"] == "http"
            and self._home
            and not names_this_machine(Headers(scope=scope).get("host", ""))
        ):
            _, port = scope["server"]
            words = f"These pages are for this machine alone: use http://localhost:{port}/\n"
            app = PlainTextResponse(words, 421)
        await app(scope, receive, send_with_headers)
