"""rules-v1: a simulated user without a model. Deterministic given (scenario, history, seed).

Scores with it are not comparable with scores of a user played by a model. What it does is documented in
docs/userbench.md; every text it says is fixed, or an implicit statement of the scenario.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import suite
from suite_userbench.scenario import Aspect, Scenario
from suite_userbench.users import lexicon
from suite_userbench.users.finding import UserKind
from suite_userbench.users.language import contains, dates, phrase
from suite_userbench.users.protocol import (
    Answer,
    Ask,
    Judgement,
    Said,
    Search,
    Speak,
    Utterance,
    Verdict,
    View,
)
from suite_userbench.users.reading import Reading

BROAD = 3  # categories that one utterance may name before it counts as vague
_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")
_ASKS = re.compile(
    r"\s*(?:and |also |so |please |now |first |then |ok |okay )*(?:which|what|do|does|would|will|should|"
    r"could|can|how|are|is|any|tell me|let me know|may i|shall|where|when|who|have)\b",
    re.IGNORECASE,
)
_CITY_ALIASES = {"nyc": "new york", "new york city": "new york", "la": "los angeles", "sf": "san francisco"}
_HIT = ("Since you ask: ", "Well, ", "Let me put it this way. ")
_MISS = (
    "I have no particular wish about that, or I have already told you. Do ask about something else.",
    "That doesn't matter to me, or you know it already. Is there another point?",
    "Nothing more to say about that. Something else, perhaps?",
)
_VAGUE = (
    "That is rather general. Could you ask about something specific?",
    "I find that hard to answer. What exactly would you like to know?",
)
_CHAT = ("All right.", "I see, thank you.", "Good, please go on.")


def _pick(variants: Sequence[str], *parts: str) -> str:
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return variants[digest[0] % len(variants)]


def _plain(text: str) -> str:
    """A search request as text; a JSON body becomes its keys and values."""
    try:
        body = json.loads(text)
        return " ; ".join(_leaves(body)) if isinstance(body, dict | list) else text
    except (ValueError, RecursionError):
        return text


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in (str(key).replace("_", " "), *_leaves(one))]
    if isinstance(value, list):
        return [text for one in value for text in _leaves(one)]
    return [str(value).replace("_", " ")]


@lru_cache(maxsize=2048)
def _city(text: str) -> str:
    plain = phrase(text)
    return _CITY_ALIASES.get(plain, plain)


def _sentences(text: str) -> list[str]:
    """The sentences of an utterance that ask something."""
    found = (match.group(0) for match in _SENTENCE.finditer(text))
    return [one for one in found if one.rstrip().endswith("?") or _ASKS.match(one)]


class RulesUser:
    """See the module. broad: most categories of one utterance; strict: refuse filters in searches."""

    def __init__(self, broad: int = BROAD, strict: bool = False) -> None:
        self.broad = broad
        self.strict = strict

    def answer(self, ask: Ask) -> Answer | None:
        """The answer to any question of the protocol."""
        if isinstance(ask, Search):
            return self._search(ask.view.scenario, ask.request)
        if isinstance(ask, Utterance):
            return self._judge(ask.view, ask.text)
        return self._speak(ask)

    # searches

    def _search(self, scenario: Scenario, request: str) -> Verdict:
        text = _plain(request)
        said = phrase(text)
        every = lexicon.aliases()
        named = {every[one] for one, _, _ in lexicon.phrases_in(said.split()) if one in every}
        if len(named) != 1:
            return Verdict(False)
        aspect = scenario.aspect(named.pop())
        if aspect is None or not self._arguments_match(scenario, aspect, said, text):
            return Verdict(False)
        if self.strict and self._filters(aspect, said):
            return Verdict(False)
        return Verdict(True, aspect.name)

    def _arguments_match(self, scenario: Scenario, aspect: Aspect, said: str, text: str) -> bool:
        for short, name in _CITY_ALIASES.items():
            if contains(said, short):
                said = f" {said} ".replace(f" {short} ", f" {name} ").strip()
        wanted = {name: value for name, value in aspect.arguments.items() if not name.startswith("date")}
        cities = {name: _city(value) for name, value in wanted.items()}
        if any(not contains(said, city) for city in cities.values()):
            return False
        others = {
            _city(value)
            for one in scenario.aspects
            for name, value in one.arguments.items()
            if not name.startswith("date")
        } - set(cities.values())
        if any(contains(said, city) for city in others):
            return False
        if "origin" in cities and not _in_order(said, cities["origin"], cities["destination"]):
            return False
        return _dates_match(scenario, aspect, dates(text))

    def _filters(self, aspect: Aspect, said: str) -> bool:
        known = lexicon.targets()
        aliases = lexicon.aliases()
        return any(
            any(target.aspect == aspect.name for target in known.get(one, ())) and one not in aliases
            for one, _, _ in lexicon.phrases_in(said.split())
        )

    # utterances

    def _judge(self, view: View, text: str) -> Judgement:
        questions = _sentences(text)
        if not questions:
            return Judgement("chat")
        reading = Reading(view)
        for question in questions:
            reading.read(question)
        if reading.categories and not reading.items and len(reading.categories) > self.broad:
            return Judgement("vague")
        if (best := reading.best()) is not None:
            return Judgement("hit", best)
        if reading.concrete:
            return Judgement("miss")
        return Judgement("vague" if reading.general else "chat")

    # speech

    def _speak(self, ask: Speak) -> Said:
        scenario = ask.view.scenario
        if ask.preference is not None:
            lead = _pick(_HIT, scenario.id, ask.preference.id)
            if ask.kind == "proactive":
                lead = f"By the way, about the {ask.preference.aspect.replace('_', ' ')}. "
            return Said(lead + ask.preference.statement)
        variants = {"miss": _MISS, "vague": _VAGUE}.get(ask.kind, _CHAT)
        return Said(_pick(variants, scenario.id, ask.text))


def _in_order(said: str, origin: str, destination: str) -> bool:
    if contains(said, f"to {origin}") or contains(said, f"from {destination}"):
        return False
    if contains(said, f"from {origin}") or contains(said, f"to {destination}"):
        return True
    if contains(said, f"origin {origin}") and contains(said, f"destination {destination}"):
        return True
    return f" {said} ".index(f" {origin} ") < f" {said} ".index(f" {destination} ")


def _dates_match(scenario: Scenario, aspect: Aspect, said: frozenset[tuple[int, int]]) -> bool:
    wanted: set[tuple[int, int]] = set()
    free = False
    for name, value in aspect.arguments.items():
        if name.startswith("date"):
            found = dates(value)
            free = free or not found  # free text such as "during the stay"
            wanted |= found
    if wanted and not wanted <= said:
        return False
    allowed = set(wanted)
    if free:
        every = {
            pair
            for one in scenario.aspects
            for name, value in one.arguments.items()
            if name.startswith("date")
            for pair in dates(value)
        }
        if every:
            return all(min(every) <= pair <= max(every) for pair in said - allowed)
    return said <= allowed


def _make(_model: suite.Model | None, _prompts: suite.Prompts, settings: Mapping[str, str]) -> RulesUser:
    try:
        broad = int(settings.get("broad", BROAD))
    except ValueError as error:
        raise suite.ConfigError(f"broad must be a whole number, not {settings['broad']!r}") from error
    strict = settings.get("strict", "false")
    if strict not in ("true", "false") or broad < 1:
        raise suite.ConfigError(
            f"bad settings of the user rules-v1: {dict(settings)}", fix="strict=true|false, broad=1 or more"
        )
    return RulesUser(broad, strict == "true")


KIND = UserKind(
    name="rules-v1",
    title="A user by rules, without a model",
    version=1,
    make=_make,
    settings={
        "broad": f"most categories one utterance may name before it is vague (default {BROAD})",
        "strict": "true: refuse searches that name more than places and dates",
    },
)
