"""A live picture as an endless row of JPEGs, which every browser shows in an `<img>`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from web.pictures import Pictures

BOUNDARY = b"picture"
KIND = "multipart/x-mixed-replace; boundary=picture"
FASTEST = 1 / 30  # s between two pictures: a recording may give hundreds a second
AGAIN = 0.3  # s until the same picture is sent once more: Chromium shows one when the next has come
REPEAT = 5.0  # s between further ones, by which a viewer that is gone is noticed


async def stream(pictures: Pictures, source: str) -> AsyncIterator[bytes]:
    """The pictures of a source for one viewer.

    The next one is asked for when the last one is on its way, and is then the newest there is: a slow
    viewer misses some, and nothing waits for it.
    """
    loop = asyncio.get_running_loop()
    with pictures.viewer():
        shot, patience = None, REPEAT
        # The boundary follows each picture at once, since a picture ends only there.
        yield b"--" + BOUNDARY + b"\r\n"
        while not pictures.over:
            began = loop.time()
            seen, shot = shot, await pictures.after(source, shot, patience)
            if shot is None or pictures.over:
                continue
            patience = REPEAT if shot is seen else AGAIN
            yield _part(await asyncio.to_thread(shot.jpeg))
            await asyncio.sleep(max(FASTEST - (loop.time() - began), 0.0))


def _part(jpeg: bytes) -> bytes:
    head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
    return head + jpeg + b"\r\n--" + BOUNDARY + b"\r\n"
