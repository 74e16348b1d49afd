"""Hides secrets in text: logins of addresses, tokens and keys; rather too much than too little."""

from __future__ import annotations

import re

# An address ends at a space, or where another one begins behind a mark that parts the two. A slash or a
# colon too few is a slip that hides nothing less.
_SCHEME = r"(?P<scheme>(?<![a-zA-Z0-9+.-])[a-zA-Z0-9+.-]+(?::/+|//))"
_ADDRESS = re.compile(_SCHEME + r"""(?P<rest>(?:(?![,;=&?'"(\[{<|][a-zA-Z][\w+.-]*://)\S)*)""")
_WHOLE = re.compile(rf"(?s){_SCHEME}(?P<rest>.*)")
_PARTS = re.compile(r"[/?#]")  # what may follow a host
_QUERY = re.compile(r"\?[\w.%-]+[=&]")
_HOST = re.compile(r"\[[0-9a-fA-F:.%]+\](:\d+)?|localhost|[\w-]+(\.[\w-]+)+(:\d+)?|[\w-]+:\d+")

# user:password@host where nobody has written the scheme. `file:/a@b` and `C:\a@b` are paths.
_BARE = re.compile(r"(?<![\w/@.+-])(?!mailto:)[\w.+-]+:[^\s/\\]\S*@(?=[\w\[])")

_WORDS = r"password|passwd|pwd|token|secret|apikey|signature|loginpas"
_SHORT = r"pass|key|auth|sig"  # words of their own only: `bypass=` and `monkey=` are none
_END = r"""['"](?:[\s,;:.)\]}]|$)"""  # a quote that closes; within a password it is followed by more
# Some cameras part what others part by '&' with '_': user=admin_password=..._channel=1.
_UNDERSCORED = re.compile(
    rf"(?i)(?P<key>=[^&?=\s]*_(?:{_WORDS}|{_SHORT}))=(?:(?!_[a-z]+=|{_END})[^&\s])*(?=_[a-z]+=)"
)
_SECRETS = re.compile(
    rf"(?i)(?P<key>(?<![\w.-])(?:[\w.-]*(?:{_WORDS})|(?:[\w.-]*[_.-])?(?:{_SHORT})))="
    rf"""(?!\*\*\*_[a-z]+=)(?:"[^"\n]*"|'[^'\n]*'|(?:(?!{_END}|:\s)[^&\s])+)"""
)
_SETTING = re.compile(r"""(?is)(?P<key>(?:password|secret)["']?\s*:).*""")


def mask(text: str) -> str:
    """The text with the user and password of every address in it replaced by stars, and tokens too.

    >>> mask("rtsp://admin:p@ss@10.0.0.7/main?token=abc: refused")
    'rtsp://***@10.0.0.7/main?token=***: refused'
    >>> mask("rtsp://10.0.0.7/user=admin_password=abc_channel=1_stream=0.sdp")
    'rtsp://10.0.0.7/user=admin_password=***_channel=1_stream=0.sdp'
    """
    if "@" in text:
        text = _BARE.sub("***@", _ADDRESS.sub(_without_login, text))
    if "=" in text:
        text = _SECRETS.sub(r"\g<key>=***", _UNDERSCORED.sub(r"\g<key>=***", text))
    return text


def masked(address: str) -> str:
    """The same for what is one address as a whole: a password may hold spaces as well.

    >>> masked("rtsp://admin:a/b #c@10.0.0.7/main?token=x")
    'rtsp://***@10.0.0.7/main?token=***'
    """
    return mask(_WHOLE.sub(_without_login, address))


def hidden(word: str) -> str:
    """The same for a word of the command line, as lists of processes show it; settings are cut short.

    >>> hidden("sources=[{address: 'rtsp://10.0.0.7/main', password: abc}]")
    "sources=[{address: 'rtsp://10.0.0.7/main', password: ***"
    """
    return masked(_SETTING.sub(r"\g<key> ***", word))


def login_end(rest: str) -> int:
    """Where the '@' stands that ends user and password; -1 if there are none.

    The last '@' ends them: a password may hold '/', '?', '#' and '@' that nobody has quoted. One in
    a query (`?user=me@shop.de`) does not, where a host stands before that.

    Args:
        rest: of an address, what follows `://`.

    >>> login_end("me:pa/ss@10.0.0.9/x"), login_end("10.0.0.7/v?user=me@shop.de"), login_end("news/@me")
    (8, -1, -1)
    """
    head = _PARTS.split(rest, maxsplit=1)[0]
    if "@" not in head and (":" not in head or head.startswith("[")):
        return -1
    starts = [0, *(i + 1 for i, character in enumerate(rest) if character == "@")]
    hosts = (i for i in starts if _HOST.fullmatch(_PARTS.split(rest[i:], maxsplit=1)[0]))
    query = _QUERY.search(rest, next(hosts, len(rest)))
    return rest.rfind("@", 0, query.start() if query else len(rest))


def _without_login(match: re.Match[str]) -> str:
    rest = match["rest"]
    end = -1 if match["scheme"].lower().startswith("file:") else login_end(rest)
    return f"{match['scheme']}***@{rest[end + 1 :]}" if end >= 0 else match[0]
