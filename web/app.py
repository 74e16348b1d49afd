"""The application: pages for people, health and metrics for machines. It only reads."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from core.status import Status
from core.types import SourceInfo
from web import mjpeg
from web.guard import Guard
from web.health import health, label
from web.metrics import registry
from web.pictures import Pictures

VIEWERS = 32  # live pictures at once
PAGE = Path(__file__).with_name("page")
_FILES = {"": "index.html", "page.css": "page.css", "page.js": "page.js"}


def create_app(
    sources: Mapping[str, SourceInfo], status: Callable[[], Status], pictures: Pictures, home: bool
) -> FastAPI:
    """The pages of one run.

    Args:
        sources: by name; may grow.
        status: how the run is doing.
        pictures: the newest of each source.
        home: served to this machine alone, so that nobody may come under another name.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(Guard, home=home)
    _add_page(app)
    _add_numbers(app, status)
    _add_pictures(app, sources, status, pictures)
    return app


def _add_page(app: FastAPI) -> None:
    for path, name in _FILES.items():
        kind = mimetypes.guess_type(name)[0]
        content = (PAGE / name).read_bytes()

        def page(content: bytes = content, kind: str | None = kind) -> Response:
            return Response(content, media_type=kind)

        app.add_api_route(f"/{path}", _as_async(page), methods=["GET", "HEAD"])


def _as_async(answer: Callable[[], Response]) -> Callable[[], Awaitable[Response]]:
    """Answered in the server's own thread: FastAPI starts another for what is not async."""

    async def run() -> Response:
        return answer()

    return run


def _add_numbers(app: FastAPI, status: Callable[[], Status]) -> None:
    numbers = registry(status)

    async def healthy() -> Response:
        said = health(status())
        return JSONResponse(said, 503 if said["status"] == "failing" else 200)

    async def metrics() -> Response:
        return Response(generate_latest(numbers), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.add_api_route("/health", healthy, methods=["GET", "HEAD"])
    app.add_api_route("/metrics", metrics, methods=["GET", "HEAD"])


def _add_pictures(
    app: FastAPI, sources: Mapping[str, SourceInfo], status: Callable[[], Status], pictures: Pictures
) -> None:
    def known() -> dict[str, str]:
        """Names of the sources, by the text that stands for them."""
        return {label(name): name for name in (*sources, *(source.name for source in status().sources))}

    async def live(source: str) -> Response:
        names = known()
        if source not in names:
            return _unknown(source, names)
        if pictures.watching >= VIEWERS:
            return _words(503, f"{VIEWERS} live pictures are watched already. Close some.")
        return StreamingResponse(mjpeg.stream(pictures, names[source]), media_type=mjpeg.KIND)

    async def snapshot(source: str) -> Response:
        names = known()
        if source not in names:
            return _unknown(source, names)
        shot = pictures.latest(names[source])
        if shot is None:
            return _words(503, f"'{source}' has no picture: it has not given one yet, or has ended.")
        return Response(await asyncio.to_thread(shot.jpeg), media_type="image/jpeg")

    app.add_api_route("/mjpeg/{source}", live, methods=["GET"])
    app.add_api_route("/snapshot/{source}.jpg", snapshot, methods=["GET", "HEAD"])


def _unknown(source: str, names: Mapping[str, str]) -> Response:
    return _words(404, f"There is no source '{source}'. There are: {', '.join(names) or 'none yet'}.")


def _words(code: int, words: str) -> Response:
    return PlainTextResponse(f"{words}\n", code)
