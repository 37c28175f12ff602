"""What was answered over many samples: copies, near-constant texts, odd characters, unmoved trials."""

import re
from collections import Counter
from dataclasses import dataclass, field

import msgspec

from suite.board.verify.plausibility.leaks import Leaks, words_of
from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.subject import VerifiedRun
from suite.journal.index import digest64
from suite.journal.records import OutputRecord

LONG_WORDS = 12  # an output below this says little by being equal to another
LONG_TOKENS, LONG_TEXT = 50, 200  # of a judge's reply; what it says of its tokens may be made up
OPENING = 200
MOST_GRAMS = 400_000  # over all cells
_encode = msgspec.json.Encoder(order="sorted").encode
_ODD = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ENORMOUS = (" " * 200, "\n" * 50)
_HINTS = ("instruction", "prompt", "judge", "grader", "evaluator", "grade", "rate", "score")
_AT_JUDGE = re.compile(
    r"(ignore|disregard|forget) (all |any )?(the )?(previous|prior|above|earlier) (instructions|prompts?)"
    r"|(dear|note to|message to) (the )?(judge|grader|evaluator)"
    r"|(rate|score|grade|judge) this (answer|response|reply) (as )?(the )?(best|highest|perfect|correct)"
)


@dataclass
class _CellReplies:
    """What one cell's outputs have in common. owners: digest of a long text -> its sample, -1 for several."""

    outputs: int = 0
    long: int = 0
    odd: int = 0
    at_judge: int = 0
    owners: dict[int, int] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)
    openings: Counter[int] = field(default_factory=Counter)
    grams: set[int] = field(default_factory=set)
    gram_count: int = 0
    trials: dict[int, int] = field(default_factory=dict)
    moved: int = 0
    repeated: int = 0
    whole: Counter[int] = field(default_factory=Counter)


def check_replies(subject: VerifiedRun, rules: OddRules, temperature: float) -> None:
    """Everything about what was answered. temperature: the highest that the candidate was asked at."""
    cells: dict[str, _CellReplies] = {}
    most = MOST_GRAMS // max(len(subject.manifest.cells), 1)
    leaks = Leaks(subject)
    for record in subject.run.outputs():
        text = subject.run.text(record)
        words = words_of(text)
        _add(cells.setdefault(record.cell, _CellReplies()), record, text, words, most)
        if leaks.wanted:
            leaks.add(record, text, words)
        if record.output.finish != "stop":
            subject.failed.setdefault(record.cell, set()).add(digest64(record.sample))
    leaks.report(rules)
    judged = any(name.partition("/")[0] == "judge" for name in subject.members)
    for name, cell in cells.items():
        subject.usual[name] = max(cell.whole.values()) / cell.outputs
        where = subject.place("outputs.jsonl", f"cell {name}")
        if rules.enough(cell.long):
            _alike(rules, where, cell)
        if cell.odd > max(1, rules["odd characters"] * cell.outputs):
            rules.tell("odd characters", where, found=cell.odd)
        if judged and cell.at_judge:
            rules.tell("at judge", where, found=cell.at_judge)
        if temperature > 0 and rules.enough(cell.repeated) and not cell.moved:
            rules.tell("trials", where, found=cell.repeated)
    _rationales(subject, rules)


def _add(cell: _CellReplies, record: OutputRecord, text: str, words: list[str], most: int) -> None:
    cell.outputs += 1
    whole = digest64(text)
    cell.whole[whole if record.output.data is None else digest64(whole, _encode(record.output.data))] += 1
    sample = digest64(record.sample)
    if record.trial == 0:
        cell.trials[sample] = whole
    elif sample in cell.trials:
        cell.repeated += 1
        cell.moved += cell.trials[sample] != whole
    cell.odd += _odd(text)
    lower = text.lower()
    cell.at_judge += any(hint in lower for hint in _HINTS) and bool(_AT_JUDGE.search(lower))
    if len(words) < LONG_WORDS or record.trial:
        return
    cell.long += 1
    key = digest64(" ".join(words))
    cell.counts[key] += 1
    owner = cell.owners.setdefault(key, sample)
    if owner != sample:
        cell.owners[key] = -1
    if len(text) >= OPENING:
        cell.openings[digest64(text[:OPENING])] += 1
    grams = min(len(words) - 4, most - cell.gram_count)
    if grams > 0:
        cell.gram_count += grams
        cell.grams.update(hash(tuple(words[i : i + 5])) for i in range(grams))


def _odd(text: str) -> bool:
    if any(run in text for run in _ENORMOUS):
        return True
    return not text.isascii() and bool(_ODD.search(text))


def _alike(rules: OddRules, where: str, cell: _CellReplies) -> None:
    """Long outputs that are the same, or nearly."""
    copied = sum(cell.counts[key] for key, owner in cell.owners.items() if owner == -1) / cell.long
    if copied > rules["copies"]:
        name = "pasted" if copied > rules["pasted"] else "copies"
        rules.tell(name, where, found=f"{copied:.0%} of {cell.long} long outputs")
    distinct = len(cell.grams) / cell.gram_count if cell.gram_count else 1.0
    if distinct < rules["constant"]:
        rules.tell("constant", where, found=f"{distinct:.1%} distinct")
    most = max(cell.openings.values(), default=0) / cell.long
    if most > rules["opening"]:
        rules.tell("opening", where, found=f"{most:.0%}")


def _rationales(subject: VerifiedRun, rules: OddRules) -> None:
    """Long replies of judges that are the same for different requests."""
    seen: dict[int, int] = {}
    copied = count = 0
    for call in subject.run.judged.calls:
        if call.reply.usage.completion < LONG_TOKENS and len(call.reply.text) < LONG_TEXT:
            continue
        count += 1
        asked = digest64(*call.request, *call.texts, call.prompt)
        copied += seen.setdefault(digest64(call.role, call.reply.text), asked) != asked
    if rules.enough(count) and copied / count > rules["rationales"]:
        where = subject.place("scoring/calls.jsonl")
        rules.tell("rationales", where, found=f"{copied / count:.0%} of {count}")
