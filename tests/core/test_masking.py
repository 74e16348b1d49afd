"""No secret survives in messages, records and lists of processes, and what is none stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.masking import hidden, mask, masked

# Begins and ends with a word that the text around it never holds, so that what is left of it is found.
_INSIDE = st.text("aZ09'\"/@:!$%*+,-.;~", max_size=8)
SECRETS = _INSIDE.map(lambda inside: f"hunter{inside}qwerty")
VALUES = st.text("aZ09!$%*+,-.;~_", max_size=8).map(lambda inside: f"hunter{inside}qwerty")
KEYS = "password passwd pwd pass token access_token key api_key apikey loginpas auth sig signature secret"
LOGINS = [
    "rtsp://admin:{}@10.0.0.7/main",
    "webhook+https://adm:{}@shop.example:8443/hook?user=me@shop.de",
    "foo://adm:{}@h/b",
    "http://u:{}@[fe80::1]:80/x.mp4",
    "rtsp:/admin:{}@10.0.0.7/main",
    "output 'rtsp://admin:{}@10.0.0.7/a' beside 'rtsp://admin:{}@10.0.0.8/b': cannot be written",
]


@given(st.sampled_from(LOGINS), SECRETS)
def test_no_password_before_a_host_survives_whatever_its_characters(form: str, secret: str) -> None:
    for shown in (mask(form.replace("{}", secret)), hidden(form.replace("{}", secret))):
        assert "hunter" not in shown
        assert "qwerty" not in shown


@given(st.text("aZ09.?=&#-", max_size=12).map(lambda inside: f"hunter{inside}qwerty"))
def test_a_password_that_looks_like_a_host_with_a_query_ends_at_the_at_sign(secret: str) -> None:
    assert mask(f"rtsp://adm:{secret}@10.0.0.7/main") == "rtsp://***@10.0.0.7/main"


@pytest.mark.parametrize("rest", ["", "/", "/main?n=1", ":8080/a#b"])
def test_a_token_that_stands_alone_before_a_host_is_hidden(rest: str) -> None:
    assert mask(f"https://hunter2@shop.example{rest}") == f"https://***@shop.example{rest}"


@given(st.sampled_from(["{}", "there is no '{}': check it", "-s{}"]), SECRETS)
def test_no_password_survives_where_the_scheme_was_forgotten(form: str, secret: str) -> None:
    shown = mask(form.replace("{}", f"adm:{secret}@10.0.0.1/a"))

    assert "hunter" not in shown
    assert "qwerty" not in shown
    assert "@10.0.0.1/a" in shown


@given(
    st.sampled_from(["http://cam/v?user=me@shop.de&{}={}&n=1 is gone", "rtsp://10.0.0.7/a?{}={}", "{}={}"]),
    st.sampled_from([*KEYS.split(), "X-Amz-Signature", "sinks.0.secret", "PASSWORD"]),
    VALUES,
)
def test_no_secret_of_a_query_survives_and_the_rest_does(form: str, key: str, value: str) -> None:
    assert mask(form.format(key, value)) == form.format(key, "***")


@given(VALUES.filter(lambda value: "_" not in value), st.sampled_from(["", "?real_stream"]))
def test_a_password_between_underscores_ends_at_the_next_key(secret: str, rest: str) -> None:
    form = "rtsp://10.0.0.7:554/user=admin_password={}_channel=1_stream=0.sdp" + rest

    assert mask(form.format(secret)) == form.format("***")


@given(VALUES)
def test_a_token_holds_underscores(secret: str) -> None:
    assert mask(f"http://cam/v?access_token={secret}_x==&n=1") == "http://cam/v?access_token=***&n=1"


@pytest.mark.parametrize("key", ["password", '"secret"', "password "])
@given(secret=st.text("aZ '\",]}:@\\", max_size=8).map(lambda inside: f"hunter{inside}qwerty"))
def test_no_secret_among_settings_is_shown_in_the_list_of_processes(key: str, secret: str) -> None:
    shown = hidden(f"sources=[{{address: rtsp://10.0.0.7/main, {key}: {secret}, name: door}}]")

    assert shown.startswith("sources=[{address: rtsp://10.0.0.7/main, ")
    assert "hunter" not in shown
    assert "qwerty" not in shown


def test_a_password_of_several_words_is_hidden_where_the_address_is_known() -> None:
    assert masked("rtsp://me:two words@cam/main") == "rtsp://***@cam/main"
    assert hidden("-srtsp://me:two words@cam/main") == "-srtsp://***@cam/main"


@pytest.mark.parametrize(
    "words",
    [
        "http://10.0.0.7/v?user=me@shop.de: no answer; write to me@shop.de, or see https://docs.example/@us",
        "http://cam:8080/v?user=me@shop.de",
        "mailto:me@shop.de",
        "git@example.org:shop/repo",
        "config.yaml:12: sources.0.password: is missing. Give it, or password_file: door.txt",
        "--set: sources.0.password: expected text",
        "password_file=/run/secrets/door monkey=1 bypass=2 keyframe=3",
        "output C:\\films\\a@b.mp4 and file:/films/a@b.mp4: 12:30 at http://[::1]:8080/@x",
        "file:///films/me@work/a.mp4, file:///C:/Users/me@work/film.mp4, file:/a@b: no such file",
        "camera 'door' (rtsp://10.0.0.7/main) gave no frame for 5 s; trying again in 4 s.",
    ],
)
def test_ordinary_words_stay_as_they_are(words: str) -> None:
    assert mask(words) == words


@given(st.lists(st.text("abc@/?#.,'\"-+_ 019", min_size=1), max_size=8).map(": ".join))
def test_a_message_without_a_login_or_key_stays_as_it_is(words: str) -> None:
    assert mask(words.replace("//", "/ /")) == words.replace("//", "/ /")


@given(st.text("ab:/@?=_&. ", max_size=30), st.sampled_from(["", "rtsp://u:p@h/", "user=a_password="]))
def test_what_was_masked_once_stays_as_it_is(words: str, before: str) -> None:
    once = mask(before + words)

    assert mask(once) == once
