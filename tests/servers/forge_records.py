"""Forgeries of outputs, calls and scores, and of the data they are said to rest on."""

import copy
from typing import Any

import msgspec
from tamper import Forged

from suite.chat import Reply, Usage, sha256_hex
from suite.journal.records import ScoreRecord
from suite.task import Output


def replaced(reply: Reply, **changes: Any) -> Reply:
    return msgspec.structs.replace(reply, **changes)


def failing(forged: Forged, name: str) -> ScoreRecord:
    return next(one for one in forged.scores if one.values.get(name) is False)


def passing(forged: Forged, name: str) -> ScoreRecord:
    return next(one for one in forged.scores if one.values.get(name) is True)


def output_of(forged: Forged, score: ScoreRecord) -> Any:
    key = (score.cell, score.sample, score.trial)
    return next(one for one in forged.outputs if (one.cell, one.sample, one.trial) == key)


def flip_score(forged: Forged) -> None:
    score = failing(forged, "correct")
    score.values = {**score.values, "correct": True}
    forged.reseal()


def better_output(forged: Forged) -> None:
    """The text of an answer that passed under a sample that failed, its score with it."""
    bad, good = failing(forged, "correct"), passing(forged, "correct")
    output = output_of(forged, bad)
    output.output = Output("(A)" if forged.output_text(output) != "(A)" else "(B)", None, "stop")
    output.text_from = ""
    bad.values = dict(good.values)
    forged.reseal()


def rewrite_dialogue(forged: Forged) -> None:
    """The first reply of an episode is another; what came after quotes the old one."""
    output = next(one for one in forged.outputs if len(one.calls) > 2)
    call = next(one for one in forged.calls if one.id == output.calls[0])
    call.reply = replaced(call.reply, text="Please tell me about your trip first, in a few words.")
    forged.reseal()


def fabricate(forged: Forged) -> None:
    """Reply, output and score changed together, consistently: what only a re-run shows.

    The better answer is that of the same sample in the other cell.
    """
    passed = {one.sample: one for one in forged.scores if one.values["correct"] is True}
    bad = next(one for one in forged.scores if one.values["correct"] is False and one.sample in passed)
    output, better = output_of(forged, bad), output_of(forged, passed[bad.sample])
    text = forged.output_text(better)
    call = next(one for one in forged.calls if one.id == output.calls[-1])
    call.reply = replaced(call.reply, text=text)
    output.output, output.text_from = Output("", better.output.data, better.output.finish), call.id
    bad.values, bad.parts = dict(passed[bad.sample].values), list(passed[bad.sample].parts)
    forged.reseal()


def usage_not_adjusted(forged: Forged) -> None:
    call = max(forged.calls, key=lambda one: len(one.reply.text))
    call.reply = replaced(call.reply, text=call.reply.text * 40, usage=Usage(10, 1))
    forged.reseal(numbers=False)


def delete_hard(forged: Forged) -> None:
    hard = {one.sample for one in forged.scores if one.values.get("correct") is False}
    forged.files["outputs"] = [one for one in forged.outputs if one.sample not in hard]
    forged.files["scoring/scores"] = [one for one in forged.scores if one.sample not in hard]
    forged.prune()
    forged.reseal()


def delete_one_failed(forged: Forged) -> None:
    gone = failing(forged, "correct")
    key = (gone.cell, gone.sample)
    forged.files["outputs"] = [one for one in forged.outputs if (one.cell, one.sample) != key]
    forged.files["scoring/scores"] = [one for one in forged.scores if (one.cell, one.sample) != key]
    forged.prune()
    forged.reseal()


def copy_passing(forged: Forged) -> None:
    """A failing sample's record becomes a copy of a passing one's, under its own id."""
    bad = failing(forged, "correct")
    good = next(one for one in forged.scores if one.values.get("correct") is True and one.cell == bad.cell)
    target, source = output_of(forged, bad), output_of(forged, good)
    calls = {one.id: one for one in forged.calls}
    for identity in source.calls:  # calls of the sample's own group, with the other's request and reply
        made = copy.deepcopy(calls[identity])
        made.group = target.group
        made.id = f"{identity[:32]}{target.sample.encode().hex():0<32}"[:64]
        forged.calls.append(made)
        if source.text_from == identity:
            target.text_from = made.id
    target.calls = [one.id for one in forged.calls[-len(source.calls) :]]
    target.output = source.output
    bad.values = dict(good.values)
    forged.prune()
    forged.reseal()


def _other_trial(forged: Forged, score: ScoreRecord) -> ScoreRecord:
    return next(
        one
        for one in forged.scores
        if (one.cell, one.sample) == (score.cell, score.sample) and one.trial != score.trial
    )


def duplicate_trial(forged: Forged) -> None:
    """A trial stands twice, another is missing."""
    lost = forged.scores[0]
    kept = _other_trial(forged, lost)
    output_of(forged, lost).trial = kept.trial
    lost.trial = kept.trial
    forged.reseal(numbers=False)


def copy_trial(forged: Forged) -> None:
    """A trial's record has another trial's content."""
    lost = forged.scores[0]
    kept = _other_trial(forged, lost)
    target, source = output_of(forged, lost), output_of(forged, kept)
    target.output, target.text_from = Output(forged.output_text(source), source.output.data), ""
    lost.values, lost.parts = dict(kept.values), list(kept.parts)
    forged.reseal()


def invent_samples(forged: Forged) -> None:
    good = passing(forged, "correct")
    output = output_of(forged, good)
    made_output, made_score = copy.deepcopy(output), copy.deepcopy(good)
    made_output.sample = made_score.sample = "invented"
    forged.outputs.append(made_output)
    forged.scores.append(made_score)
    forged.reseal()


def edit_payload(forged: Forged) -> None:
    forged.outputs[0].payload_sha256 = sha256_hex(b"an easier question")
    forged.reseal()


def edit_revision(forged: Forged) -> None:
    for one in forged.manifest["data"].values():
        one["revision"] = "0" * 40
    forged.reseal()


def edit_data_hashes(forged: Forged) -> None:
    for one in forged.manifest["data"].values():
        one["files"] = {path: sha256_hex(b"mine") for path in one["files"]}
    forged.reseal()


def paste_scores(forged: Forged) -> None:
    """The scores of the first cell stand under the second, too."""
    first, second = (cell["cell"] for cell in forged.manifest["cells"])
    values = {one.sample: one.values for one in forged.scores if one.cell == first}
    for score in forged.scores:
        if score.cell == second:
            score.values = dict(values[score.sample])
    changed = [one for one in forged.scores if one.cell == second]
    changed[0].values = {**changed[0].values, "correct": not changed[0].values["correct"]}
    forged.reseal()


def merge_clusters(forged: Forged) -> None:
    for number, output in enumerate(forged.outputs):
        output.cluster = f"own-{number}"
    forged.reseal()


def reorder(forged: Forged) -> None:
    for name in ("outputs", "calls", "blocks", "scoring/calls", "scoring/blocks", "scoring/scores"):
        forged.files[name].reverse()
    forged.reseal(identities=False, numbers=False)


def lower_usage(forged: Forged) -> None:
    for call in forged.calls:
        call.reply = replaced(call.reply, usage=Usage(call.reply.usage.prompt, 1))
    forged.reseal()


def lower_prompts(forged: Forged) -> None:
    for call in [*forged.calls, *forged.judged]:
        call.reply = replaced(call.reply, usage=Usage(1, call.reply.usage.completion))
    forged.reseal()


def uncounted_prompts(forged: Forged) -> None:
    for call in forged.calls:
        call.reply = replaced(call.reply, usage=Usage(0, call.reply.usage.completion))
    forged.reseal()


def raise_prompts(forged: Forged) -> None:
    for call in forged.calls:
        call.reply = replaced(call.reply, usage=Usage(90_000, call.reply.usage.completion))
    forged.reseal()


def other_day(forged: Forged) -> None:
    forged.manifest["created"] = "2021-03-04T05:06:07+00:00"
    forged.reseal()


def negative_time(forged: Forged) -> None:
    call = forged.calls[0]
    call.times = (call.times[1], call.times[1] - 5.0)
    forged.reseal()


def before_start(forged: Forged) -> None:
    for call in forged.calls:
        call.times = (call.times[0] - 86_400.0, call.times[1] - 86_400.0)
    forged.reseal()


def overlapping(forged: Forged) -> None:
    """A turn began long before the reply that it quotes was there."""
    for call in forged.calls:
        if len(call.request) > 2:
            call.times = (call.times[0] - 30.0, call.times[1])
    for attempt in forged.files["attempts"]:
        attempt.at -= 60.0
    forged.reseal()
