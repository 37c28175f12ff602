"""Forgeries of how models were asked: parameters, prompts, judges, panels, attempts."""

import copy

import msgspec
from forge_records import failing, replaced
from tamper import Forged

from suite.chat import Message, Usage, sha256_hex
from suite.journal.records import AttemptRecord, BlockRecord
from suite.task import Unscored


def relax_parameter(forged: Forged) -> None:
    for cell in forged.manifest["cells"]:
        cell["parameters"]["inter_turns"] = 0
    forged.reseal()


def relabel_parameter(forged: Forged) -> None:
    """Another way of asking under the board's name: the calls of one cell stand under the other."""
    first, second = (cell["parameters"] for cell in forged.manifest["cells"])
    first["method"], second["method"] = second["method"], first["method"]
    forged.reseal()


def wrong_turns(forged: Forged) -> None:
    """Asked with one exchange in between, recorded as three."""
    for cell in forged.manifest["cells"]:
        cell["parameters"] |= {"inter_turns": 3, "paper_turns": 5}
    forged.reseal()


def _prompted(forged: Forged, stage: str, addition: str) -> None:
    """Every request of a stage says something more in its last message."""
    blocks = {one.sha256: one for one in forged.files[f"{stage}blocks"]}
    for call in forged.files[f"{stage}calls"]:
        if call.kind != "chat":
            continue
        last = blocks[call.request[-1]]
        content = f"{last.content} {addition}"
        digest = sha256_hex(
            msgspec.json.Encoder(order="sorted").encode(Message(role=last.role, content=content))
        )
        forged.add_block(stage, BlockRecord(digest, last.role, content))
        call.request = [*call.request[:-1], digest]
    forged.files[f"{stage}blocks"] = list(
        {one.sha256: one for one in forged.files[f"{stage}blocks"]}.values()
    )


def hint_in_prompt(forged: Forged) -> None:
    _prompted(forged, "", "Hint: think of what was said first.")
    forged.prune_blocks()
    forged.reseal()


def declared_prompts(forged: Forged) -> None:
    for cell in (*forged.manifest["cells"], *forged.scoring["cells"]):
        cell["prompts_sha256"] = sha256_hex(b"softer")
    forged.reseal()


def swap_judge(forged: Forged) -> None:
    for judge in forged.scoring["roles"]["judge"]:
        judge["spec"] = "openai/lenient"
    forged.reseal()


def forge_judge_reported(forged: Forged) -> None:
    for call in forged.judged:
        call.reply = replaced(call.reply, model=f"lenient-{call.group < 'm'}")
    forged.reseal()


def forge_judge(forged: Forged) -> None:
    """A lenient judge's replies under the board's judge's name: what only judging again shows."""
    forged.reseal()


def edit_judge_prompt(forged: Forged) -> None:
    _prompted(forged, "scoring/", "Be generous.")
    forged.prune_blocks()
    forged.reseal()


def flip_verdict(forged: Forged) -> None:
    score = failing(forged, "kept")
    score.values = {**score.values, "kept": True}
    forged.reseal()


def drop_order(forged: Forged) -> None:
    score = next(one for one in forged.scores if len(one.calls) > 1)
    score.calls = score.calls[:-1]
    score.parts = list(score.parts)[:-1]
    forged.prune()
    forged.reseal()


def smaller_panel(forged: Forged) -> None:
    forged.scoring["roles"]["judge"] = forged.scoring["roles"]["judge"][:1]
    dropped = {one.id for one in forged.judged if one.role == "judge/2"}
    for score in forged.scores:
        score.calls = [one for one in score.calls if one not in dropped]
        score.parts = [one for one in score.parts if "judge/2" not in one.id]
    forged.prune()
    forged.reseal()


def unreadable_passes(forged: Forged) -> None:
    score = next(one for one in forged.scores if one.calls)
    call = next(one for one in forged.judged if one.id == score.calls[0])
    call.reply = replaced(call.reply, text="hm ~ hm")
    score.values = {**score.values, "kept": True}
    forged.reseal()


def unscored_failures(forged: Forged) -> None:
    for score in forged.scores:
        if score.values.get("kept") is False:
            score.values = {**score.values, "kept": Unscored("unparsed")}
    forged.reseal()


def two_replies(forged: Forged) -> None:
    """Both replies of a call asked twice are kept."""
    made = copy.deepcopy(forged.calls[0])
    made.reply = replaced(made.reply, text="another reply", usage=Usage(10, 4))
    forged.calls.append(made)
    forged.reseal()


def attempt_gap(forged: Forged) -> None:
    forged.calls[0].attempt = 3
    forged.reseal()


def shopping_event(forged: Forged) -> None:
    call = forged.calls[0]
    at = forged.files["attempts"][-1].at
    forged.files["attempts"].append(AttemptRecord(at, "discarded", "worse", call=call.id, role=call.role))
    forged.reseal()


def left_over(forged: Forged) -> None:
    """The candidate was asked something more, and the sample says so."""
    made = copy.deepcopy(forged.calls[0])
    made.options = msgspec.structs.replace(made.options, max_tokens=777)
    made.id = f"{made.id[:-4]}aaaa"
    output = next(one for one in forged.outputs if forged.calls[0].id in one.calls)
    output.calls = [*output.calls, made.id]
    forged.calls.append(made)
    forged.reseal()


def task_version(forged: Forged) -> None:
    for cell in forged.manifest["cells"]:
        cell["version"] = 99
    for one in forged.results["cells"]:
        one["version"] = 99
    forged.reseal()


def temperature_recorded(forged: Forged) -> None:
    forged.manifest["roles"]["candidate"][0]["sampling"]["temperature"] = 0.0
    forged.reseal()


def max_tokens_hidden(forged: Forged) -> None:
    """Asked with more tokens than the task asks, and not said."""
    for call in forged.calls:
        call.options = msgspec.structs.replace(call.options, max_tokens=4096)
    forged.reseal()


def swap_baseline(forged: Forged) -> None:
    forged.manifest["roles"]["baseline"][0]["spec"] = "openai/weak"
    forged.reseal()


def lucky_seed(forged: Forged) -> None:
    forged.manifest["seed"] = 7
    forged.reseal()
