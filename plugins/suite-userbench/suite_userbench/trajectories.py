"""Episodes of a finished run as training trajectories: messages, and a reward for each assistant message.

Messages are the candidate's own last request and its reply, as recorded, so they are exactly what it saw.
Not here: reading the journal's bytes (the suite does).
"""

from collections.abc import Iterator
from typing import Any

import msgspec

import suite
from suite_userbench.events import Event

TASK = "userbench/travel"


def trajectories(run: suite.Run) -> Iterator[dict[str, Any]]:
    """One object an episode: {"scenario", "trial", "tag", …, "messages", "rewards", "events", "finish"}.

    `rewards[i]` belongs to the i-th assistant message, `events[i]` says what it was. Raises RunError if the
    run has no such task, or its recorded calls and its log don't fit.
    """
    cells = {cell.cell: cell for cell in run.manifest.cells if cell.task == TASK}
    if not cells:
        raise suite.ConfigError(f"{run.folder.name} has no episodes of {TASK}")
    model = run.candidate.spec if run.candidate else ""
    scores = {(one.cell, one.sample, one.trial): one.values.get("score") for one in run.scores()}
    for record in run.outputs():
        if record.cell not in cells:
            continue
        cell = cells[record.cell]
        events = msgspec.convert(record.output.data["events"], list[Event])
        played = [event for event in events if event.choice or event.kind != "finish"]
        key = (record.cell, record.sample, record.trial)
        yield {
            "scenario": record.sample,
            "trial": record.trial,
            "tags": record.tags,
            "mode": cell.parameters["mode"],
            "user": cell.facts.get("user", cell.parameters["user"]),
            "scenarios": cell.facts.get("scenarios", ""),
            "model": model,
            "score": scores.get(key),
            "finish": record.output.finish,
            "messages": _messages(run, record, played),
            "rewards": [event.reward for event in played],
            "events": [event.kind for event in played],
        }


def _last_call(run: suite.Run, record: suite.OutputRecord) -> tuple[suite.Request, suite.Reply] | None:
    """The candidate's call with the longest conversation; None if it answered none."""
    longest: tuple[suite.Request, suite.Reply] | None = None
    for identity in record.calls:
        found = run.call(identity)
        if found is None or found.call.role != "candidate" or found.call.reply.finish == "overflow":
            continue
        request = found.blocks.request(found.call)
        if longest is None or len(request.messages) > len(longest[0].messages):
            longest = request, found.call.reply
    return longest


def _messages(run: suite.Run, record: suite.OutputRecord, played: list[Event]) -> list[dict[str, Any]]:
    longest = _last_call(run, record)
    if longest is None:
        return []
    request, reply = longest
    messages = [_plain(message) for message in request.messages]
    last = suite.assistant(reply.text, reply.tool_calls[:1])
    messages.append(_plain(last))
    if played and played[-1].feedback:
        call_id = reply.tool_calls[0].id if reply.tool_calls else ""
        feedback = played[-1].feedback
        messages.append(
            _plain(suite.tool_result(feedback, call_id) if reply.tool_calls else suite.user(feedback))
        )
    if sum(message["role"] == "assistant" for message in messages) != len(played):
        raise suite.DataError(
            f"the recorded calls of {record.sample} do not fit its log",
            where=f"{len(messages)} messages, {len(played)} turns",
            fix="the run was changed, or made by another version",
        )
    return messages


def _plain(message: suite.Message) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        plain["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        plain["tool_call_id"] = message.tool_call_id
    return plain
