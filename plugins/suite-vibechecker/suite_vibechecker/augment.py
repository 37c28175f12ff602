"""Attach instructions to any code problem: a selector says what fits, rules say what may stand together.

One pass over the 30 instructions in an order drawn per problem; a selector (a model, or any callable)
accepts or rejects each, given those already accepted; five are enough. What the selector writes is not
trusted: parameters are repaired and prompts come from the table. For new task sets only: scores on
them are not comparable with published ones. Source: the paper's appendix on data.
"""

import json
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import suite
from suite_vibechecker.rows import Requirement
from suite_vibechecker.vericode import Instruction, instructions

WANTED = 5
CONFLICTS = ({"doc_4", "doc_6"}, {"doc_5", "doc_2"}, {"doc_5", "doc_3"})
STYLE_1_LIMIT = 88  # style_1 checks line length at ruff's default

PROMPTS = suite.Prompts(
    select=(
        "You decide whether a requirement fits a programming task.\n\nTask:\n{problem}\n\n"
        "Candidate requirement ({category}): {meaning}\nStated at first: {generation}\nAs an edit: {edit}\n"
        "Parameters: {parameters}\n\nAlready required:\n{accepted}\n\n"
        "Accept it only if obeying it would change the code or the form of the answer, and if it can be "
        "obeyed together with everything already required. Answer with one JSON block:\n"
        '```json\n{{"accepted": true, "parameters": {{}}}}\n```\nor\n'
        '```json\n{{"accepted": false, "reason": "..."}}\n```'
    )
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a selector says of one instruction; its parameters are only a wish."""

    accepted: bool
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


class Selector(Protocol):
    """Judges whether an instruction fits a problem, given those already accepted."""

    async def __call__(
        self, problem: str, candidate: Instruction, accepted: Sequence[Requirement]
    ) -> Choice: ...


async def augment(
    problem: str, problem_id: str, selector: Selector, seed: int = 0
) -> tuple[Requirement, ...]:
    """Up to five instructions for a problem, in the order in which they will be evaluated.

    The order of candidates and the docstring convention depend on seed and problem_id alone.
    """
    rng = random.Random(f"{seed}\x1f{problem_id}")
    order = list(instructions().values())
    rng.shuffle(order)
    convention = rng.choice(("google", "numpy", "pep257"))
    accepted: list[Requirement] = []
    for candidate in order:
        if len(accepted) == WANTED:
            break
        if any(conflict(candidate, {}, one) for one in accepted):
            continue
        choice = await selector(problem, candidate, tuple(accepted))
        if choice.accepted:
            one = requirement(candidate, choice.parameters, convention)
            if not any(conflict(candidate, one.parameters, other) for other in accepted):
                accepted.append(one)
    return tuple(accepted)


def requirement(row: Instruction, wished: Mapping[str, Any], convention: str = "") -> Requirement:
    """An instruction as stored: parameters repaired, prompts taken from the table."""
    parameters = row.repaired(wished)
    if "convention" in parameters and convention:
        parameters["convention"] = convention
    generation, edit = row.prompts(parameters)
    return Requirement(
        instruction_idx=row.id, generation_prompt=generation, edit_prompt=edit, parameters=parameters
    )


def conflict(row: Instruction, parameters: Mapping[str, Any], other: Requirement) -> bool:
    """Whether an instruction can't be obeyed together with another, or is the same one."""
    pair = {row.id, other.instruction_idx}
    if len(pair) == 1 or pair in CONFLICTS:
        return True
    lengths = {**parameters, **other.parameters}
    return pair == {"style_1", "style_3"} and int(lengths.get("line_length", 0)) > STYLE_1_LIMIT


def conflicts(requirements: Sequence[Requirement]) -> list[tuple[str, str]]:
    """All conflicting pairs of ids in a list, in its order."""
    return [
        (first.instruction_idx, second.instruction_idx)
        for at, first in enumerate(requirements)
        for second in requirements[at + 1 :]
        if conflict(first.instruction, first.parameters, second)
    ]


def model_selector(ask: Callable[[str], Awaitable[str]]) -> Selector:
    """A selector from a model: `ask` sends one prompt (temperature 0) and returns the reply's text.

    A reply that can't be read rejects the instruction, with that as the reason.
    """

    async def select(problem: str, candidate: Instruction, accepted: Sequence[Requirement]) -> Choice:
        parameter = candidate.parameter
        stated = f"{parameter.name}, one of {list(parameter.values)}" if parameter else "none"
        prompt = PROMPTS.select(
            problem=problem,
            category=candidate.category,
            meaning=candidate.meaning,
            generation=candidate.generation,
            edit=candidate.edit,
            parameters=stated,
            accepted="\n".join(f"- {one.generation_prompt}" for one in accepted) or "- nothing",
        )
        return read_choice(await ask(prompt))

    return select


_BLOCK = re.compile(r"```(?:json)?\s*(\{.*?\})\s*```", re.DOTALL)


def read_choice(reply: str) -> Choice:
    """A selector's reply as a choice: the last JSON block, or the whole reply as JSON."""
    blocks = _BLOCK.findall(reply)
    try:
        value = json.loads(blocks[-1] if blocks else reply)
        accepted, parameters = value["accepted"], value.get("parameters") or {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Choice(False, reason="the reply can't be read")
    if not isinstance(accepted, bool) or not isinstance(parameters, dict):
        return Choice(False, reason="the reply has another form")
    return Choice(accepted, parameters, str(value.get("reason") or ""))
