"""No key, and no half of one, in any form, comes through."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.errors import CallFailed, ConfigError
from suite.models.credentials import read_key, split_url
from suite.models.spec import parse_spec
from suite.secrets import HIDDEN, Scrubber, scrub, scrub_all, secret_place

KEY = 'cAnArY/+9x"2$%7vBz1Lk0Jm'
FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda key: key,
    "first half": lambda key: key[:12],
    "last half": lambda key: key[12:],
    "middle": lambda key: key[5:18],
    "JSON": lambda key: json.dumps(key)[1:-1],
    "JSON, solidus": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "URL": lambda key: quote(key, safe=""),
    "URL, path": quote,
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    "basic": lambda key: base64.b64encode(f"user:{key}".encode()).decode(),
    "hex": lambda key: key.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_hidden_in_every_form(form: str) -> None:
    told = FORMS[form](KEY)
    found = Scrubber([KEY])(f"before {told} after")
    assert HIDDEN in found
    assert found.startswith("before ")
    assert found.endswith(" after")
    assert not any(told[at : at + len(told) // 2] in found for at in range(len(told) // 2))
    assert Scrubber([KEY]).bytes(f"before {told} after".encode()).decode() == found


def drawn(key: str) -> bool:
    return any(one.isdigit() for one in key) and any(one.isalpha() for one in key)


@given(
    st.text("ab12", min_size=16, max_size=40).filter(drawn),
    st.text("ab1\n", max_size=60),
    st.text("ab1\n", max_size=60),
)
@settings(max_examples=100)
def test_half_of_a_key_never_stays(key: str, before: str, after: str) -> None:
    found = Scrubber([key]).known(before + key + after)
    size = max(8, len(key) // 2)
    assert not any(key[at : at + size] in found for at in range(len(key) - size + 1))
    assert HIDDEN in found


def test_other_texts_stay_as_they_are() -> None:
    text = b"\xff nothing to hide: canary, 9x, " + KEY[:6].encode()
    assert Scrubber([KEY]).bytes(text) is text


def test_a_phrase_counts_as_a_whole_only() -> None:
    scrub = Scrubber(["production-cluster"])
    assert scrub("to production-cluster") == "to ***"
    assert scrub("the production of words") == "the production of words"


def test_what_looks_like_a_key_is_hidden_before_anybody_cuts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SERVICE_TOKEN", KEY)
    error = CallFailed("bad", f"{'x' * 290} {KEY} sk-abcdefgh12345678", retryable=False)
    assert KEY[:6] not in error.message[:300]
    assert "sk-abc" not in str(error)
    assert scrub_all("see https://host/v1?api_key=abcdef&x=1") == "see https://host/v1?api_key=***&x=1"


SECRET: list[Any] = [
    {"api_key": "x"}, {"extra_body": {"a": [{"X-Api-Key": "v"}]}}, {"args": ["--api-key", "v"]},
    {"headers": [["Authorization", "Bearer v"]]}, {"headers": ["Authorization: v"]}, {"apiKey": "v"},
    {"proxy": "https://user:password@host/"}, {"url": "https://host/?key=v"}, {"text": '{"password": "v"}'},
    {"args": ["--api-key=v"]}, {"access-token": "v"}, {"clientSecret": "v"}, {"token": "a1b2c3d4e5f6a7b8c9"},
    {"metadata": {"auth": "longpasswordwithoutdigits"}},
]  # fmt: skip
HARMLESS: list[Any] = [
    {"max_tokens": 5, "pad_token": "</s>", "stop_token_ids": [1], "key": "name", "author": "me"},
    {"api_key_env": "NAME", "headers_env": {"Authorization": "NAME"}}, {"base": "https://host/?api-version=3"},
    {"stop": ["Answer: A", "a=b"], "skip_special_tokens": True, "top_k": 3, "token": "<s>"},
]  # fmt: skip


@pytest.mark.parametrize("options", SECRET, ids=str)
def test_options_that_name_a_secret_are_refused_without_it(options: dict[str, Any]) -> None:
    assert secret_place(options)
    given = [(name, json.dumps(value)) for name, value in options.items()]
    with pytest.raises(ConfigError, match="looks like a secret") as caught:
        parse_spec("openai/x", given)
    assert json.dumps(next(iter(options.values()))) not in str(caught.value)


SHAPED: list[tuple[str, str]] = [
    ("base_url", "http://host/sk-abcdefgh12345678/v1"), ("extra_body", '{"user": "sk-abcdefgh12345678"}'),
    ("extra_body", '{"note": "Bearer a1b2c3d4"}'),
]  # fmt: skip


@pytest.mark.parametrize("option", SHAPED, ids=str)
def test_what_the_command_line_would_hide_is_refused_where_it_would_be_recorded(
    option: tuple[str, str],
) -> None:
    with pytest.raises(ConfigError, match=f"{option[0]} looks like a secret") as caught:
        parse_spec("openai/x", [option])
    assert "abcdef" not in str(caught.value)
    assert "a1b2" not in str(caught.value)


def test_an_address_of_the_environment_is_refused_with_a_key_that_nothing_hides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "http://host/sk-abcdefgh12345678/v1"
    with pytest.raises(ConfigError, match="looks like a secret"):
        split_url(url)
    monkeypatch.setenv("PROXY_KEY", "sk-abcdefgh12345678")
    assert split_url(url)[0] == url
    assert scrub(url) == "http://host/***/v1"


def test_words_are_no_login() -> None:
    assert parse_spec("openai/x", [("extra_body", '{"note": "basic principles"}')]).options


@pytest.mark.parametrize("options", HARMLESS, ids=str)
def test_options_that_only_sound_secret_are_taken(options: dict[str, Any]) -> None:
    assert secret_place(options) is None


@pytest.mark.parametrize("name", ["KEYVALUE1234", "cAnArYvAlUe", "sk-live-1234", "MY_KEYVALUE"])
def test_what_was_given_as_the_name_of_a_variable_is_not_repeated(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_key(name, required=True)
    assert name not in str(caught.value)
