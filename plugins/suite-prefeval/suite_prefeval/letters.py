"""The multiple-choice side: which option is where, and which letter a reply picks.

The order of options is upstream's uninterrupted run: one generator seeded with 41 for each topic, one
permutation for each index. A reply is read twice: by upstream's rule and by a sound one.
"""

import random
import re
from collections.abc import Sequence

import suite
from suite_prefeval import markup, picking

LETTERS = "ABCD"
SHUFFLE_SEED = 41
TAG = "choice"

_TAGGED = re.compile(r"<choice\b.*?(?:</choice\s*>|\Z)", re.IGNORECASE | re.DOTALL)


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
    """The one option a reply picks, or None if it picks none or several (see `picking`).

    Choice tags decide, closed or cut off: the letters in them must agree, and so must what is plainly called
    the answer beside them. Without a tag the reply must say its answer: "B", "(B)", "**B.** Sushi",
    "Answer: B", "I choose B because". Hidden reasoning that leads the reply is not looked at.
    """
    reply = suite.without_reasoning(reply)
    tags = markup.parse(reply).all(TAG)
    if not tags:
        return picking.only(picking.stated(reply))
    # an outer, unclosed tag repeats what the inner one says
    inside = [tag.text for tag in tags if not tag.all(TAG)]
    picked = [one for text in inside for one in picking.mentioned(text)]
    beside = picking.called_answer(_TAGGED.sub(" ", reply))
    return picking.only([*picked, *beside]) if picked else None


def likelihood_values(output: suite.Output, answers: Sequence[str], gold: str) -> dict[str, suite.Value]:
    """The score of the likeliest of four answers; no letter was written that could be read in two ways."""
    picked = LETTERS[answers.index(output.text)] if output.text in answers else None
    unread = {"correct_official": None, "unparsed": None, "unparsed_official": None}
    return {**suite.choice_values(output, LETTERS.index(gold)), **unread, "letter": picked}


def values(picked: str | None, official: str | None, gold: str) -> dict[str, bool | str | None]:
    """The score of a pick by our reading and by upstream's; no letter is wrong, never left out."""
    return {
        "correct": picked == gold,
        "correct_official": official == gold,
        "unparsed": picked is None,
        "unparsed_official": official is None,
        "letter": picked,
    }
