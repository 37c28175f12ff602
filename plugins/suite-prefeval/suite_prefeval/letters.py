"""The multiple-choice side: which option is where, and which letter a reply picks.

The order of options is upstream's uninterrupted run: one generator seeded with 41 for each topic, one
permutation for each index. A reply is read twice: by upstream's rule and by a sound one.
"""

import random
import re
from collections.abc import Sequence

from suite_prefeval import markup

LETTERS = "ABCD"
SHUFFLE_SEED = 41
TAG = "choice"

_ALONE = re.compile(r"(?<![A-Za-z])(?:[B-D]|A(?!\s+[a-z]))(?![A-Za-z])")  # an article is no letter
_START = re.compile(r"\W*([A-D])(?=\s*(?:$|[\n.):,\]<]))")
_LONE = re.compile(r"\W*([A-Da-d])\W*")


class Orders:
    """The shown order of options of one topic, by index: source indices, 0 being the correct option.

    Upstream seeds the global generator with 41 once a process and runs one topic in a process, so the
    permutation depends on the index alone. They are drawn in order, whatever was left out before.
    """

    def __init__(self) -> None:
        self._generator = random.Random(SHUFFLE_SEED)
        self._drawn: list[tuple[int, ...]] = []

    def __getitem__(self, index: int) -> tuple[int, ...]:
        while len(self._drawn) <= index:
            self._drawn.append(tuple(self._generator.sample(range(len(LETTERS)), len(LETTERS))))
        return self._drawn[index]


def gold_letter(permutation: Sequence[int]) -> str:
    """The letter under which the correct option (source index 0) is shown."""
    return LETTERS[list(permutation).index(0)]


def official_letter(reply: str) -> str | None:
    """Upstream's rule: the first capital A-D in the string of the first choice tag.

    It takes the A of "Answer: C" for a choice, and sees none outside a tag. None: no letter found.
    """
    element = markup.first(reply, TAG)
    string = element.string if element else None
    match = re.search("[ABCD]", string) if string else None
    return match.group(0) if match else None


def letter(reply: str) -> str | None:
    """The one option a reply picks, or None if it picks none or several.

    Inside choice tags (closed or cut off) the letters that stand alone must agree. Without a tag the reply
    must begin with the letter, followed by its end or punctuation: "B", "(B)", "B. Sushi".
    """
    tags = markup.parse(reply).all(TAG)
    if not tags:
        match = _START.match(reply)
        return match.group(1) if match else None
    picked: set[str] = set()
    for tag in tags:
        if tag.all(TAG):
            continue  # an outer, unclosed tag repeats what the inner one says
        text = tag.text
        if lone := _LONE.fullmatch(text):
            picked.add(lone.group(1).upper())
        else:
            picked.update(_ALONE.findall(text))
    return picked.pop() if len(picked) == 1 else None


def values(picked: str | None, official: str | None, gold: str) -> dict[str, bool | str | None]:
    """The score of a pick by our reading and by upstream's; no letter is wrong, never left out."""
    return {
        "correct": picked == gold,
        "correct_official": official == gold,
        "unparsed": picked is None,
        "unparsed_official": official is None,
        "letter": picked,
    }
