"""Readers of what models write at each stage. They raise ValueError with the reason, and guess nothing.

What upstream reads more loosely stands in `official`, for comparison. Not here: asking again
(`suite.judge` does, with the reason).
"""

import ast
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import suite
from suite_contexteval.rows import QA, Pair

LABELS = ("Ambiguous", "Incomplete", "Subjective", "Open-ended", "Closed-ended")
QUALITIES = ("important", "realistic", "complete", "diverse")
MOST_PAIRS = 10
MOST_STARTS = 200  # pairs that are looked at, so that a hostile reply costs little
STARTS = 10  # brackets at which a literal is looked for, so that a hostile reply costs little
LONGEST = 20_000  # characters of a literal

_VERDICT = re.compile(
    r"[{,]\s*[\"']judge?ment[\"']\s*:\s*[\"']\s*(response 1|response 2|tie)\s*[\"']", re.IGNORECASE
)
_NEED = re.compile(
    r"^[^\w\n]*need for context\W+(yes|no)\b(?!\s*(?:/|\||or\b))", re.IGNORECASE | re.MULTILINE
)
_YES_NO = re.compile(
    r"[\W_]*(yes|no)(?![^\W_])(?:[\W_]*(?:(?:and|or|/|,)[\W_]*)(yes|no)(?![^\W_])(?!\s+[a-z]))?",
    re.IGNORECASE,
)
# A question begins and ends with what is no space, so that runs of spaces are read once.
_PAIR = re.compile(
    r"^[^\S\n]*(?:[-*\d.)]+\s*)?Q\d*\s*:\s*+(\S(?:.*?\S)??)\s++A\d*\s*:\s*(?=\[)", re.MULTILINE
)


def judgement(text: str, *, may_tie: bool = True) -> int | suite.Tie:
    """The response preferred, 1 or 2, or a `Tie`: only from within the dictionary asked for."""
    found = {
        match.casefold() for match in _VERDICT.findall(unicodedata.normalize("NFKC", text).replace("*", ""))
    }
    if not found:
        raise suite.Unparsed('it holds no "judgement" of "Response 1", "Response 2" or "Tie"')
    if len(found) > 1:
        raise suite.Unparsed("it holds two different judgements")
    label = found.pop()
    if label == "tie" and not may_tie:
        raise suite.Unparsed("a tie was not on offer")
    return suite.Tie() if label == "tie" else int(label[-1])


def judgement_schema(*, justify: bool, may_tie: bool = True) -> dict[str, Any]:
    """The form of a judgement, for engines that can be held to one."""
    labels = ["Response 1", "Response 2", *(["Tie"] if may_tie else [])]
    properties: dict[str, Any] = {"judgement": {"enum": labels}}
    if justify:
        properties["justification"] = {"type": "string"}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def yes_no(text: str) -> bool:
    """A reply that begins with yes or no."""
    match = _YES_NO.match(unicodedata.normalize("NFKC", text))
    if match is None:
        raise suite.Unparsed("it does not begin with Yes or No")
    if match[2] and match[2].casefold() != match[1].casefold():
        raise suite.Unparsed("it says both Yes and No")
    return match[1].casefold() == "yes"


def type_labels(text: str) -> tuple[str, ...]:
    """Labels of a query out of the five known ones, at least one, each once, in their fixed order."""
    found = _first(text, "[", list)
    known = {label.casefold(): label for label in LABELS}
    labels = [known.get(str(one).strip().casefold()) for one in found]
    if not labels or None in labels:
        raise suite.Unparsed(f"a label is none of: {', '.join(LABELS)}")
    return tuple(label for label in LABELS if label in labels)


class FollowUps(NamedTuple):
    """What a generator wrote. lost: lines that begin like a pair and are none."""

    needed: bool
    pairs: tuple[Pair, ...]
    lost: int


def follow_ups(text: str) -> FollowUps:
    """The need for context and the follow-up questions, at most ten, with two answers or more each.

    A question may hold several sentences; the last pair of a reply that was cut off is lost, and counted.
    """
    need = _NEED.search(text)
    if need is None:
        raise suite.Unparsed("it does not say whether context is needed")
    if need[1].casefold() == "no":
        return FollowUps(False, (), 0)
    pairs = []
    for match in islice(_PAIR.finditer(text), MOST_STARTS):
        options = [str(one).strip() for one in _literal_at(text, match.end(), list) or ()]
        distinct = tuple(dict.fromkeys(one for one in options if one))
        if len(distinct) > 1:
            pairs.append(Pair(question=match[1].strip(), options=distinct))
    begun = len(re.findall(r"^[^\S\n]*(?:[-*\d.)]+\s*)?Q\d*\s*:", text, re.MULTILINE))
    if not pairs:
        raise suite.Unparsed("context is needed, but there is no question with a list of answers")
    return FollowUps(True, tuple(pairs[:MOST_PAIRS]), max(0, begun - len(pairs)))


def options(text: str) -> tuple[str, ...]:
    """The items of the first list in a text, in any quotes or none; the text itself if it has no item."""
    found = _literal_at(text, start, list) if (start := text.find("[")) >= 0 else None
    items = found if found is not None else text[start + 1 :].rstrip("] \n").split(",")
    return tuple(item for one in items if (item := str(one).strip(" \"'"))) or (text,)


def qualities(count: int) -> Callable[[str], list[dict[str, int]]]:
    """A reader of the ratings of `count` pairs: each of four qualities is 0 or 1."""

    def read(text: str) -> list[dict[str, int]]:
        found = _first(text, "{", dict)
        rated = []
        for number in range(1, count + 1):
            one = found.get(f"Q{number}")
            if not isinstance(one, Mapping) or set(one) != set(QUALITIES):
                raise suite.Unparsed(f"Q{number} lacks its four ratings: {', '.join(QUALITIES)}")
            if any(isinstance(value, bool) or value not in (0, 1) for value in one.values()):
                raise suite.Unparsed(f"a rating of Q{number} is neither 0 nor 1")
            rated.append({name: int(one[name]) for name in QUALITIES})
        return rated

    return read


def chosen(pairs: Sequence[Pair]) -> Callable[[str], tuple[QA, ...]]:
    """A reader of one answer a question, each word for word from its list."""

    def read(text: str) -> tuple[QA, ...]:
        found = _first(text, "{", dict)
        answered = []
        for number, pair in enumerate(pairs, 1):
            answer = found.get(f"Q{number}")
            if answer not in pair.options:
                raise suite.Unparsed(f"the answer to Q{number} is not in its list")
            answered.append(QA(question=pair.question, options=pair.options, answer=answer))
        return tuple(answered)

    return read


def chosen_schema(pairs: Sequence[Pair]) -> dict[str, Any]:
    """The form of chosen answers."""
    names = {f"Q{number}": {"enum": list(pair.options)} for number, pair in enumerate(pairs, 1)}
    return {"type": "object", "properties": names, "required": list(names), "additionalProperties": False}


def constraint_count(most: int) -> Callable[[str], int]:
    """A reader of how many answers were taken up: the first whole number of the reply, 0 to `most`."""

    def read(text: str) -> int:
        match = re.search(r"(?<![\d.,])-?\d+(?![.,]?\d)", text)
        if match is None:
            raise suite.Unparsed("it holds no whole number")
        if not 0 <= (count := int(match[0][:9])) <= most:
            raise suite.Unparsed(f"{match[0]} is outside 0 to {most}")
        return count

    return read


def codes(text: str) -> tuple[int, ...]:
    """On what a reason rests: 1 (content), 2 (surface) or both."""
    found = re.findall(r"\d+", unicodedata.normalize("NFKC", text))
    if not found or any(one not in ("1", "2") for one in found):
        raise suite.Unparsed('it is none of "1", "2" and "1, 2"')
    return tuple(sorted({int(one) for one in found}))


def suits(text: str) -> dict[str, bool]:
    """Three answers by number: whether each is yes."""
    found = _first(text, "{", dict)
    answers = {str(key): str(value).strip(" \t\n.!*_`\"'").casefold() for key, value in found.items()}
    if set(answers) != {"1", "2", "3"} or not set(answers.values()) <= {"yes", "no"}:
        raise suite.Unparsed("it does not answer 1, 2 and 3 with Yes or No")
    return {number: answers[number] == "yes" for number in ("1", "2", "3")}


def relevance(text: str) -> int:
    """One rating of relevance, 1 to 5."""
    return _grade(_first(text, "{", dict), "the response")


def relevances(answers: Sequence[str]) -> Callable[[str], dict[str, int]]:
    """A reader of one rating of relevance for every answer of an attribute."""

    def read(text: str) -> dict[str, int]:
        found = _first(text, "{", dict)
        missing = [answer for answer in answers if answer not in found]
        if missing:
            raise suite.Unparsed(f"there is no rating for {missing[0]!r}")
        return {answer: _grade(found[answer], repr(answer)) for answer in answers}

    return read


def relevance_schema(answers: Sequence[str] = ()) -> dict[str, Any]:
    """The form of one rating, or of one for each answer."""
    one: dict[str, Any] = {
        "type": "object",
        "properties": {"relevance": {"enum": [1, 2, 3, 4, 5]}},
        "required": ["relevance"],
        "additionalProperties": False,
    }
    if not answers:
        return one
    return {
        "type": "object",
        "properties": dict.fromkeys(answers, one),
        "required": list(answers),
        "additionalProperties": False,
    }


def _grade(found: Any, what: str) -> int:
    value = found.get("relevance") if isinstance(found, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
        raise suite.Unparsed(f"the relevance of {what} is no whole number from 1 to 5")
    return value


def _first(text: str, bracket: str, kind: type) -> Any:
    """The first JSON (or Python) literal of a kind that begins at one of the first brackets."""
    plain = text.replace("**", "")
    for match in islice(re.finditer(re.escape(bracket), plain), STARTS):
        found = _literal_at(plain, match.start(), kind)
        if found is not None:
            return found
    raise suite.Unparsed("it holds no JSON " + {"[": "list", "{": "object"}[bracket])


def _literal_at(text: str, start: int, kind: type) -> Any:
    """The literal that begins at a place, or None. Python's quotes are read too, for models that use them."""
    try:
        found, _ = json.JSONDecoder(parse_constant=_refused).raw_decode(text, start)
    except (ValueError, RecursionError):
        found = None
        for end in _ends(text, start):
            try:
                found = ast.literal_eval(text[start:end])
                break
            except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
                continue
    return found if isinstance(found, kind) else None


def _ends(text: str, start: int) -> Iterator[int]:
    """Where a literal may end: after each closing bracket of its kind, the first five of them."""
    closing = {"[": "]", "{": "}"}[text[start]]
    depth, given = 0, 0
    for place in range(start, min(len(text), start + LONGEST)):
        depth += (text[place] == text[start]) - (text[place] == closing)
        if text[place] == closing and depth <= 0:
            yield place + 1
            given += 1
            if given == 5:
                return


def _refused(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
