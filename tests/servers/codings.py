"""H.264 and H.265 for the test cameras: encoders, NAL units, and how RTP carries and describes them.

H.264 travels by RFC 6184, H.265 by RFC 7798: a NAL unit in a packet, or in fragments if it is long.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace

Unit = list[bytes]  # the NAL units of one picture, without start codes

_PAYLOAD = 1400  # bytes of a NAL unit that fit one packet


@dataclass(frozen=True)
class Coding:
    """One of them.

    Attributes:
        name: in a session description.
        encoder, preset, pixels: FFmpeg's names.
        parameters: of the encoder, by the option of that name; repeated headers, no look ahead.
        qualities: options and more parameters for each of `even`, `wavering`, `still`.
        header: bytes at the begin of a NAL unit that say its kind.
        fragment: bits of the first of them that fragments keep, and the others of theirs.
        keys, sets: kinds of key pictures, and of parameter sets with their names in a description.
    """

    name: str
    encoder: str
    preset: str
    parameters: tuple[str, str]
    qualities: dict[str, tuple[dict[str, str], str]]
    header: int
    fragment: tuple[int, int]
    keys: tuple[int, ...]
    sets: dict[int, str]
    pixels: str = "yuv420p"

    def kind(self, unit: bytes) -> int:
        """What a NAL unit is, by its number in the standard."""
        return unit[0] & 31 if self.header == 1 else unit[0] >> 1 & 63

    def is_key(self, unit: Unit) -> bool:
        """Is this a key picture?"""
        return any(self.kind(part) in self.keys for part in unit)

    def sets_of(self, unit: Unit) -> list[bytes]:
        """The parameter sets that stand before a key picture."""
        return [part for part in unit if self.kind(part) in self.sets]

    def fragments(self, unit: bytes) -> Iterator[bytes]:
        """A NAL unit as it is, or in parts (FU-A, FU) if it is long."""
        if len(unit) <= _PAYLOAD:
            yield unit
            return
        kept, kind = self.fragment
        head = bytes([unit[0] & kept | kind]) + unit[1 : self.header]
        body = unit[self.header :]
        for at in range(0, len(body), _PAYLOAD):
            ends = 0x80 * (at == 0) | 0x40 * (at + _PAYLOAD >= len(body))
            yield head + bytes([ends | self.kind(unit)]) + body[at : at + _PAYLOAD]

    def describe(self, sets: list[bytes]) -> bytes:
        """The session description (RFC 4566) of a film with these parameter sets."""
        written: dict[str, list[str]] = {}
        for part in sets:
            written.setdefault(self.sets[self.kind(part)], []).append(base64.b64encode(part).decode())
        sprop = ";".join(f"{name}={','.join(parts)}" for name, parts in written.items())
        mode = "packetization-mode=1;" if self.header == 1 else ""
        return "\r\n".join(
            [
                "v=0",
                "o=- 0 0 IN IP4 127.0.0.1",
                "s=camera",
                "t=0 0",
                "m=video 0 RTP/AVP 96",
                f"a=rtpmap:96 {self.name}/90000",
                f"a=fmtp:96 {mode}{sprop}",
                "a=control:track0",
                "",
            ]
        ).encode()


# What follows a key picture makes up for what that one has lost, so a picture shown again never decodes to
# quite the same pixels: by some levels if even, by about 15 where the quality follows the content, as most
# cameras have it. In a still nothing is made up for: x264's other pictures are coarser by far (6 x log2 of
# the ratio, and the widest dead zone), and so repeat the key picture; x265's repeat it at any even quality.
H264 = Coding(
    name="H264",
    encoder="libx264",
    preset="veryfast",
    # One thread: the same pictures give the same bytes on every machine.
    parameters=("x264-params", "threads=1"),
    qualities={
        "even": ({"qp": "20"}, ""),
        "wavering": ({"crf": "20"}, ""),
        "still": ({"qp": "40"}, ":ipratio=10:deadzone-inter=32"),
    },
    header=1,
    fragment=(0xE0, 28),
    keys=(5,),
    sets={7: "sprop-parameter-sets", 8: "sprop-parameter-sets"},
)
H265 = Coding(
    name="H265",
    encoder="libx265",
    preset="ultrafast",
    parameters=("x265-params", "pools=none:frame-threads=1:open-gop=0:log-level=error:info=0"),
    qualities={"even": ({}, ":qp=24"), "wavering": ({}, ":crf=24"), "still": ({}, ":qp=24")},
    header=2,
    fragment=(0x81, 49 << 1),
    keys=(19, 20, 21),
    sets={32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"},
)
# Ten bits a sample, as some cameras have it.
MAIN10 = replace(H265, pixels="yuv420p10le")
CODINGS = {"h264": H264, "h265": H265, "main10": MAIN10}


def split(data: bytes) -> Unit:
    """NAL units between start codes."""
    return [unit.rstrip(b"\0") for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
