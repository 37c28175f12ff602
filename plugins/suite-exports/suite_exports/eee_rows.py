"""The samples of a run as lines of Every Eval Ever's samples file: one per sample, trial and metric."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

import suite
from suite_exports.eee_results import Target
from suite_exports.eee_schema import VERSION, Fields, fields
from suite_exports.texts import text_of

# the candidate's failures, as against an answer that is merely wrong
_ERRORS = frozenset(("overflow", "refused", "empty", "invalid", "limit"))


class Samples:
    """Walks the samples of a run once; `asked` and the counts of the targets are full afterwards."""

    def __init__(
        self, run: suite.ExportedRun, evaluation: str, model: str, targets: Mapping[str, Sequence[Target]]
    ) -> None:
        self._run = run
        self._evaluation = evaluation
        self._model = model
        self._targets = targets
        self.asked: dict[str, set[tuple[float | None, float | None, int | None]]] = {}

    def __iter__(self) -> Iterator[Fields]:
        for row in self._run.rows():
            yield from self._rows(row)

    def _rows(self, row: suite.SampleRow) -> Iterator[Fields]:
        output = self._run.output(row.key)
        calls = self._calls(output)
        if calls:
            options = calls[-1].call.options
            asked = (options.temperature, options.top_p, options.max_tokens)
            self.asked.setdefault(row.cell, set()).add(asked)
        shared: SharedFields | None = None
        for target in self._targets.get(row.cell, ()):
            if row.values is None or not target.facts.takes(row.tags):
                continue
            value = row.values.get(target.facts.value)
            if isinstance(value, suite.Unscored):
                target.unscored.append(f"{row.sample}\x1f{row.trial}")
                continue
            if value is None or isinstance(value, str):
                target.not_applicable += 1
                continue
            if shared is None:
                shared = _shared(row, calls)
            yield self._line(row, target, float(value), shared, calls)

    def _line(
        self,
        row: suite.SampleRow,
        target: Target,
        score: float,
        shared: "SharedFields",
        calls: Sequence[suite.FoundCall],
    ) -> Fields:
        correct, rule = target.correct(score)
        target.rows += 1
        latency = row.usage.latency_ms
        metadata = {
            "trial": str(row.trial),
            "cell": row.cell,
            "cluster": row.cluster,
            "finish": row.finish,
            "metric": target.metric,
            "is_correct_rule": rule,
            **{f"tag_{name}": str(value) for name, value in row.tags.items()},
        }
        return fields(
            schema_version=VERSION,
            evaluation_id=self._evaluation,
            model_id=self._model,
            evaluation_name=target.evaluation,
            evaluation_result_id=target.result_id,
            sample_id=row.sample,
            **shared.common,
            answer_attribution=[],
            evaluation=fields(
                score=score,
                is_correct=correct,
                num_turns=shared.turns,
                tool_calls_count=shared.tool_calls,
            ),
            token_usage=_tokens(calls) if calls else None,
            performance=None if latency is None else {"latency_ms": float(latency)},
            error=f"the answer ended as {row.finish!r}" if row.finish in _ERRORS else None,
            metadata=metadata,
        )

    def _calls(self, output: suite.OutputRecord | None) -> list[suite.FoundCall]:
        """The candidate's own calls of a sample, in order."""
        found = [self._run.call(identity) for identity in (output.calls if output else ())]
        return [one for one in found if one and one.call.role.partition("/")[0] == "candidate"]


class SharedFields(NamedTuple):
    """What the lines of one sample and trial share. turns, tool_calls: of a conversation, else None."""

    common: Fields
    turns: int | None = None
    tool_calls: int | None = None


def _shared(row: suite.SampleRow, calls: Sequence[suite.FoundCall]) -> SharedFields:
    messages = _messages(calls[-1]) if calls else []
    asked = calls[-1].blocks.request(calls[-1].call) if calls else None
    tool_calls = sum(len(one.tool_calls) for one in messages)
    turns = sum(one.role == "assistant" for one in messages)
    several = tool_calls > 0 or turns > 1
    if asked is None or asked.kind != "chat":
        raw = text_of(asked) if asked else ""
    else:
        raw = "\n\n".join(one.content for one in asked.messages if one.role in ("system", "user"))
    reasoning = calls[-1].call.reply.reasoning if calls else ""
    answer = row.answer or ("" if row.data is None else msgspec.json.encode(row.data).decode())
    told: Fields = {"raw": raw, "reference": []}
    digest = hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()
    if row.question is None:  # the licence forbids passing rows on: the id in the place of each text
        told["raw"] = row.question_id
        messages = [
            one if one.role == "assistant" else replace(one, content=row.question_id) for one in messages
        ]
    common: Fields = {
        "sample_hash": digest,
        "interaction_type": "agentic" if tool_calls else "multi_turn" if several else "single_turn",
        "input": told,
        "output": None
        if several
        else fields(raw=[answer], reasoning_trace=[reasoning] if reasoning else None),
        "messages": _turns(messages, reasoning) if several else None,
    }
    return SharedFields(common, turns or 1, tool_calls) if several else SharedFields(common)


def _messages(found: suite.FoundCall) -> list[suite.Message]:
    """The conversation that the last call of a sample saw, and its reply."""
    request = found.blocks.request(found.call)
    if request.kind != "chat":
        return []
    reply = found.call.reply
    return [*request.messages, suite.Message("assistant", reply.text, reply.tool_calls)]


def _turns(messages: Sequence[suite.Message], reasoning: str) -> list[Fields]:
    """A conversation in their form. reasoning: what led its last message."""
    turns = []
    for number, one in enumerate(messages):
        calls = [
            fields(
                id=call.id or f"call-{number}-{place}", name=call.name, arguments=_arguments(call.arguments)
            )
            for place, call in enumerate(one.tool_calls)
        ]
        last = number == len(messages) - 1
        turns.append(
            fields(
                turn_idx=number,
                role=one.role,
                content=one.content or None,
                reasoning_trace=(reasoning or None) if last else None,
                tool_calls=calls or None,
                tool_call_id=[one.tool_call_id] if one.tool_call_id else None,
            )
        )
    return turns


def _arguments(text: str) -> dict[str, str]:
    """A tool call's arguments, whose values must be text; as written where they are no object."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        return {"arguments": text}
    return {name: text_of(value) for name, value in found.items()}


def _tokens(calls: Sequence[suite.FoundCall]) -> Fields:
    usage = [one.call.reply.usage for one in calls]
    prompt, completion = sum(one.prompt for one in usage), sum(one.completion for one in usage)
    return fields(
        input_tokens=prompt,
        output_tokens=completion,
        total_tokens=prompt + completion,
        input_tokens_cache_read=sum(one.cached for one in usage) or None,
        reasoning_tokens=sum(one.reasoning for one in usage) or None,
    )
