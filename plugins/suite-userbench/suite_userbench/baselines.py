"""Scripted candidates that bound the scale: `scripted/suite_userbench.baselines:random` and others.

random: searches each thing, then picks any of its options. ask_everything: searches, asks about every
category of preference, then picks at random. silent: says nothing. They see what any candidate sees; with
chance comes score 0.144 for one pick among 18 (3 correct, 1 of them best).
They read requests as this project's generator words them; elsewhere their searches may fail, and then they
guess among 22 ids.
"""

import hashlib
import json
import random as randomness
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import suite
from suite_userbench.calling import TOOL
from suite_userbench.travel import ASPECTS, Domain
from suite_userbench.users.language import MONTHS
from suite_userbench.users.lexicon import CATEGORIES

_TRIES = 4  # searches for one thing before guessing
_IDS = 22
_MONTHS = "|".join(month.capitalize() for month in MONTHS)
_DATE = re.compile(rf"(?:{_MONTHS}) \d+(?:st|nd|rd|th)")
_NAME = r"[A-Z][\w'-]+(?: [A-Z][\w'-]+)*"
_PLACE = re.compile(rf"\b(?:to|in|on) (?!(?:{_MONTHS})\b)({_NAME})")
_ORIGIN = re.compile(rf"starting from ({_NAME})")
_STEPS = re.compile(r"(\d+) moves")


@dataclass(slots=True)
class Seen:
    """What a candidate can know from the conversation.

    searched: aspect -> option ids shown. tries: searches for an aspect. answered: ids given, in order.
    asked: questions put.
    """

    request: str
    aspects: list[Domain]
    steps_left: int
    searched: dict[str, list[str]] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    answered: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)


def _moves(messages: Sequence[suite.Message]) -> list[tuple[str, str]]:
    found = []
    for message in messages:
        if message.role == "assistant":
            text = message.tool_calls[0].arguments if message.tool_calls else message.content
            try:
                move = json.loads(text)
            except ValueError:
                move = {}
            found.append((str(move.get("choice", "")), str(move.get("content", ""))))
    return found


def look(request: suite.Request) -> Seen:
    """The conversation so far, read as a candidate may read it."""
    messages = request.messages
    opening = next((one.content for one in messages if one.role == "user"), "")
    text = opening.lower()
    aspects = [one for one in ASPECTS.values() if re.search(rf"\b{one.title}\b", text)]
    steps = _STEPS.search(messages[0].content if messages else "")
    moves = _moves(messages)
    seen = Seen(opening, aspects, int(steps[1]) - len(moves) if steps else 1)
    for choice, content in moves:
        if choice == "search":
            for one in aspects:
                if content.startswith(one.title):
                    seen.tries[one.name] = seen.tries.get(one.name, 0) + 1
        elif choice == "answer":
            seen.answered.append(content)
        elif choice == "action":
            seen.asked.add(content)
    for message in messages[2:]:
        if message.role in ("user", "tool"):
            ids = re.findall(r'^\{"id": "([A-Z]\d+)"', message.content, re.MULTILINE)
            for one in aspects:
                if ids and ids[0].startswith(one.letter):
                    seen.searched[one.name] = ids
    return seen


def query(aspect: Domain, opening: str) -> str:
    """A search for an aspect, from what the opening request says."""
    dates = _DATE.findall(opening)
    place = _PLACE.search(opening)
    origin = _ORIGIN.search(opening)
    destination = place[1] if place else ""
    start, end = [*dates, "", ""][:2]
    if aspect.name == "flight":
        return f"flight from {origin[1] if origin else ''} to {destination} on {start}"
    if aspect.name == "restaurant":
        evening = re.search(rf"evening of ({_DATE.pattern})", opening)
        return f"restaurant in {destination} on {evening[1] if evening else start}"
    return f"{aspect.title} in {destination} from {start} to {end}"


def _chance(request: suite.Request, asking: Any) -> randomness.Random:
    """Randomness of this call: from its seed, and from the conversation where it has none."""
    text = "\x1f".join(message.content for message in request.messages)
    digest = hashlib.sha256(f"{getattr(asking, 'seed', '')}\x1f{text}".encode()).digest()
    return randomness.Random(int.from_bytes(digest[:8], "big"))


def _move(request: suite.Request, choice: str, content: str) -> suite.Reply:
    body = json.dumps({"thought": "", "choice": choice, "content": content})
    if request.tools:
        call = suite.ToolCall(TOOL.name, body, f"call-{len(request.messages)}")
        return suite.Reply("", finish="stop", tool_calls=(call,))
    return suite.Reply(body)


def _next_search(seen: Seen) -> Domain | None:
    for one in seen.aspects:
        if one.name not in seen.searched and seen.tries.get(one.name, 0) < _TRIES:
            return one
    return None


def _pick(request: suite.Request, seen: Seen, asking: Any) -> suite.Reply:
    """Any option of the next thing without an answer; of any thing once all have one."""
    rng = _chance(request, asking)
    letters = {answer[:1] for answer in seen.answered}
    open_ones = [one for one in seen.aspects if one.letter not in letters] or list(seen.aspects)
    if not open_ones:
        return _move(request, "action", "What are you looking for?")
    aspect = open_ones[0] if len(letters) < len(seen.aspects) else rng.choice(open_ones)
    ids = seen.searched.get(aspect.name) or [f"{aspect.letter}{number}" for number in range(1, _IDS + 1)]
    fresh = [name for name in ids if name not in seen.answered] or ids
    return _move(request, "answer", rng.choice(fresh))


def random(request: suite.Request, asking: Any) -> suite.Reply:
    """Searches, then picks at random."""
    seen = look(request)
    if (aspect := _next_search(seen)) is not None and seen.steps_left > len(seen.aspects):
        return _move(request, "search", query(aspect, seen.request))
    return _pick(request, seen, asking)


def questions(aspects: Sequence[Domain]) -> list[str]:
    """One question for every category of preference: first of each thing, then the next ones."""
    by_aspect = [
        [
            f"Which {texts[0]} do you prefer for the {one.title}?"
            for (name, _), texts in CATEGORIES.items()
            if name == one.name
        ]
        for one in aspects
    ]
    longest = max(map(len, by_aspect), default=0)
    return [asked[place] for place in range(longest) for asked in by_aspect if place < len(asked)]


def ask_everything(request: suite.Request, asking: Any) -> suite.Reply:
    """Searches, asks about everything while there is time, then picks at random."""
    seen = look(request)
    needed = len(seen.aspects)
    if seen.steps_left > needed:
        if (aspect := _next_search(seen)) is not None:
            return _move(request, "search", query(aspect, seen.request))
        for question in questions(seen.aspects):
            if question not in seen.asked:
                return _move(request, "action", question)
    return _pick(request, seen, asking)


def silent(_request: suite.Request, _asking: Any) -> suite.Reply:
    """Says nothing, ever."""
    return suite.Reply("", finish="empty")
