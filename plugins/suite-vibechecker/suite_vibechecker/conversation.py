"""The conversations of the protocol, as plain functions of a problem, k and what was said before.

k = 0 is the base question; single turn asks with the first k requirements at once; multi turn replays
the base answer and k edits, one requirement a turn. All wording here is our own.
"""

from collections.abc import Sequence
from typing import Literal

import suite

Kind = Literal["big", "stdin", "functional"]

TEMPLATES = {
    "system_big": (
        "You write Python programs. Answer in one of two forms: either Markdown in which the first code "
        "block holds the whole program, or, if you write nothing but code, the bare program without any "
        "fence. Obey every requirement stated anywhere in the conversation and keep what the program "
        "does unchanged when you revise it. Always send the complete, runnable program."
    ),
    "system_live": (
        "You solve programming problems in Python. Answer in one of two forms: either Markdown in which "
        "the first code block holds the whole solution, or, if you write nothing but code, the bare "
        "solution without any fence. Obey every requirement stated anywhere in the conversation and keep "
        "what the solution does unchanged when you revise it. Always send complete functions."
    ),
    "header_stdin": (
        "Write a Python function that reads its input from standard input and prints the answer, and call "
        "that function at the end of the program.\n\n{statement}"
    ),
    "header_functional": (
        "Write a Python function named `solve` for the problem below. It takes the problem's inputs as "
        "arguments and returns the answer. Send definitions only: read nothing from standard input and "
        "do not call the function.\n\n{statement}"
    ),
    "one_requirement": "{base}\n\nThe code must also meet this requirement: {requirement}",
    "many_requirements": "{base}\n\nThe code must also meet these requirements:\n{requirements}",
    "edit": "{requirement}",
}
PROMPTS = suite.Prompts(**TEMPLATES)


def system_text(kind: Kind, prompts: suite.Prompts = PROMPTS) -> str:
    """The system prompt."""
    return prompts.system_big() if kind == "big" else prompts.system_live()


def base_text(kind: Kind, statement: str, prompts: suite.Prompts = PROMPTS) -> str:
    """The question without requirements. Live statements get a header that says what to write."""
    if kind == "big":
        return statement
    header = prompts.header_stdin if kind == "stdin" else prompts.header_functional
    return header(statement=statement)


def single_text(base: str, requirements: Sequence[str], prompts: suite.Prompts = PROMPTS) -> str:
    """The question with all requirements at once: a sentence for one, a numbered list for more."""
    if not requirements:
        return base
    if len(requirements) == 1:
        return prompts.one_requirement(base=base, requirement=requirements[0])
    listed = "\n".join(f"{number}. {one}" for number, one in enumerate(requirements, 1))
    return prompts.many_requirements(base=base, requirements=listed)


def base_messages(kind: Kind, statement: str, prompts: suite.Prompts = PROMPTS) -> list[suite.Message]:
    """System prompt and question: what k = 0 asks, and what both protocols start from."""
    return [suite.system(system_text(kind, prompts)), suite.user(base_text(kind, statement, prompts))]


def single_messages(
    kind: Kind, statement: str, requirements: Sequence[str], prompts: suite.Prompts = PROMPTS
) -> list[suite.Message]:
    """The single-turn conversation with the first k generation prompts."""
    text = single_text(base_text(kind, statement, prompts), requirements, prompts)
    return [suite.system(system_text(kind, prompts)), suite.user(text)]


def edit_messages(
    before: Sequence[suite.Message], answer: suite.Reply, requirement: str, prompts: suite.Prompts = PROMPTS
) -> list[suite.Message]:
    """The next round of a multi-turn conversation: the whole answer so far, then one edit prompt."""
    return [*before, suite.replied(answer), suite.user(prompts.edit(requirement=requirement))]
