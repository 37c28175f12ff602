"""The judge's four checks: how a reply is read, and how the answers compose into the error types.

acknowledge (A), violate (V), hallucinate (H) and helpful (U = not helpful). An answer follows the
preference exactly when it is neither unhelpful nor in violation; A and H only say which kind of violation.
Not here: asking the judge (`generation`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import suite
from suite_prefeval import markup

CHECKS = ("acknowledge", "violate", "hallucinate", "helpful")
ERROR_TYPES = ("unhelpful", "inconsistency", "hallucination", "unaware")

Known = bool | suite.Unscored  # unscored: the judge gave no answer that can be read


def yes(reply: str) -> bool:
    """Yes (True) or No (False) of a judge's reply. Raises Unparsed unless exactly one of them is said.

    The answer tags must agree, closed or cut off; without a tag the whole reply must be the one word.
    """
    tags = [tag.text for tag in markup.parse(reply).all("answer") if not tag.all("answer")]
    words = {text.strip(" \t\r\n.!\"'*[]").lower() for text in tags or [reply]}
    if words not in ({"yes"}, {"no"}):
        raise suite.Unparsed("it says neither Yes nor No alone")
    return words == {"yes"}


def official_answer(reply: str) -> str:
    """Upstream's reading: the first answer tag's stripped text in lower case, "" if there is none."""
    return markup.first_text(reply, "answer").lower()


def restatement(reply: str) -> str:
    """The words that the acknowledge check quotes as the preference's restatement, possibly none."""
    return markup.first_text(reply, "preference")


@dataclass(frozen=True, slots=True)
class Findings:
    """What the four checks found; unscored where the judge could not be read."""

    acknowledged: Known
    violated: Known
    hallucinated: Known
    unhelpful: Known


def findings(answers: Mapping[str, Known]) -> Findings:
    """The answers by check as findings."""
    return Findings(
        acknowledged=answers["acknowledge"],
        violated=answers["violate"],
        hallucinated=answers["hallucinate"],
        unhelpful=negated(answers["helpful"]),
    )


def both(*claims: Known) -> Known:
    """Whether all claims hold: False as soon as one does not, unknown if that hangs on an unknown one."""
    if False in claims:
        return False
    unknown = [claim for claim in claims if isinstance(claim, suite.Unscored)]
    return unknown[0] if unknown else True


def negated(claim: Known) -> Known:
    """The opposite; unknown stays unknown."""
    return claim if isinstance(claim, suite.Unscored) else not claim


def compose(found: Findings) -> dict[str, Known]:
    """`kept` and the four error types, of which at most one holds, as upstream counts them.

    A value is known as soon as the readable checks decide it: a violation is one whatever the others say.
    """
    helpful, violated = negated(found.unhelpful), found.violated
    hallucinated = both(found.acknowledged, found.hallucinated)
    return {
        "kept": both(helpful, negated(violated)),
        "unhelpful": found.unhelpful,
        "inconsistency": both(found.acknowledged, negated(hallucinated), violated, helpful),
        "hallucination": both(hallucinated, violated, helpful),
        "unaware": both(negated(found.acknowledged), violated, helpful),
    }


def official_findings(replies: Mapping[str, str]) -> Findings:
    """Upstream's flags by substring from the judge's replies, by check.

    "no" anywhere makes it unhelpful ("unknown" too), and an unreadable reply counts as no error at all.
    """
    read = {check: official_answer(replies.get(check, "")) for check in CHECKS}
    return Findings(
        acknowledged="yes" in read["acknowledge"],
        violated="yes" in read["violate"],
        hallucinated="yes" in read["hallucinate"],
        unhelpful="no" in read["helpful"],
    )


def values(found: Findings) -> dict[str, Known]:
    """`compose` as score values: what is not known is unscored, with the reason of the check that decides."""
    return compose(found)


def unanswered(official: Known | None) -> suite.Score:
    """The score of no answer: it helps nobody. official: whether upstream's rule takes it for following."""
    none = Findings(acknowledged=False, violated=False, hallucinated=False, unhelpful=True)
    return suite.Score({**values(none), "kept_official": official, "answered": False})
