"""The user's turn of RAG-RewardBench: references, instruction, question; and cutting references.

The published prompt may already hold the question, or only the references: which it was is recorded for
every row (`as_is` or `composed`). Own wording. Not here: reading rows (`rows`).
"""

import re
from typing import NamedTuple

import suite

PROMPTS = suite.Prompts(
    turn="{references}\n\nAnswer the question below in detail, from the references above.\n\n"
    "## Question\n\n{question}\n\n## Answer",
    system="You answer questions with the help of retrieved references. Be exact and keep to what was "
    "asked. References may be irrelevant or wrong: do not let them mislead you, and add nothing they do not "
    "support.",
    system_citation="You answer questions with the help of retrieved references, in a readable text that "
    "cites them. A citation is a LaTeX-style mark \\footnote{{...}} that names the document's number and "
    "quotes a piece of it word for word. Cite only what supports the sentence, at most twice in each.",
)
_MARK = re.compile(r"Reference \[\d+\]")
_HEADING = re.compile(r"\A\s*#+[^\n]*\n+")


class Turn(NamedTuple):
    """The user's turn. mode: as_is or composed. cut: characters taken off the references."""

    text: str
    mode: str
    cut: int


def question_place(prompt: str, question: str) -> int | None:
    """Where the question stands as a line of its own after the last reference, or None."""
    start = max((mark.end() for mark in _MARK.finditer(prompt)), default=0)
    line = rf"(?:^|\n)(?:[^\n]{{0,20}}:)?[ \t]*({re.escape(question.strip())})[ \t\r]*(?=\n|\Z)"
    found = None
    for match in re.finditer(line, prompt[start:]):
        found = start + match.start(1)
    return found


def user_turn(prompts: suite.Prompts, prompt: str, question: str, limit: int | None = None) -> Turn:
    """The user's turn of a row. limit: most characters of references; they lose their left end.

    The question, what follows the references, and the heading are never cut.
    """
    place = question_place(prompt, question)
    if place is None:
        kept = cut_left(prompt, limit)
        text = prompts.turn(references=kept, question=question.strip())
        return Turn(text, "composed", len(prompt) - len(kept))
    head, rest = split_references(prompt, place)
    kept = cut_left(head, limit)
    return Turn(kept + rest, "as_is", len(head) - len(kept))


def split_references(prompt: str, place: int) -> tuple[str, str]:
    """(references, the rest): the rest begins at the first blank line inside or after the last reference."""
    start = max((mark.end() for mark in _MARK.finditer(prompt)), default=0)
    blank = prompt.find("\n\n", start, place)
    cut = blank if blank >= 0 else prompt.rfind("\n", 0, place) + 1
    return prompt[:cut], prompt[cut:]


def cut_left(references: str, limit: int | None) -> str:
    """References without their left end, so that at most `limit` characters remain behind the heading."""
    if limit is None or len(references) <= limit:
        return references
    heading = match[0] if (match := _HEADING.match(references)) else ""
    body = references[len(heading) :]
    return references if len(body) <= limit else heading + body[len(body) - limit :]
