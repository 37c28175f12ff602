"""The calls of one problem: base question, k requirements at once, or a chain of k edits.

Cells of one problem ask the same things again (every chain starts with the base question and extends
the shorter one), and the runner knows calls by their content; so a full protocol costs 11 calls a
problem with nothing shared here.
"""

from collections.abc import Sequence

import suite
from suite_vibechecker.conversation import base_messages, edit_messages, single_messages
from suite_vibechecker.extraction import extract, extract_official
from suite_vibechecker.parameters import Parameters
from suite_vibechecker.rows import BigRow, LiveRow

ATTEMPTS = 3  # the protocol asks again when a reply holds no program


async def solve(
    row: BigRow | LiveRow,
    parameters: Parameters,
    temperature: float,
    model: suite.Model,
    prompts: suite.Prompts,
) -> suite.Output:
    """Put a problem to the model.

    A chain ends at the first round without a program: the output then has that round's reply and finish. The
    authors' goes on with the text of an error in the answer's place, which costs calls and judges no answer.
    """
    statement = row.instruct_prompt if isinstance(row, BigRow) else row.question_content
    chosen = row.instruction_list[: parameters.k]
    if parameters.mode == "single":
        asked = [one.generation_prompt for one in chosen]
        reply = await _ask(
            model, single_messages(row.kind, statement, asked, prompts), temperature, parameters.max_tokens
        )
        return _output(reply)
    messages = base_messages(row.kind, statement, prompts)
    reply = await _ask(model, messages, temperature, parameters.max_tokens)
    for one in chosen:
        if not _has_program(reply.text):
            break
        messages = edit_messages(messages, reply, one.edit_prompt, prompts)
        reply = await _ask(model, messages, temperature, parameters.max_tokens)
    return _output(reply)


def _has_program(text: str) -> bool:
    return bool(extract(text).strip() or extract_official(text).strip())


def _output(reply: suite.Reply) -> suite.Output:
    stopped = reply.finish == "stop" and not _has_program(reply.text)
    return suite.Output(reply.text, finish="empty") if stopped else reply.output()


async def _ask(
    model: suite.Model, messages: Sequence[suite.Message], temperature: float, max_tokens: int | None
) -> suite.Reply:
    reply = await model.chat(messages, temperature=temperature, max_tokens=max_tokens)
    for attempt in range(2, ATTEMPTS + 1):
        if reply.finish not in ("stop", "empty") or _has_program(reply.text):
            break
        key = f"attempt-{attempt}"
        reply = await model.chat(messages, temperature=temperature, max_tokens=max_tokens, key=key)
    return reply
