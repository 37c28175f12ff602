"""What was answered over many samples: copies, near-constant texts, odd characters, unmoved trials.

And what no candidate is shown: reference answers, the judge's wording, its form of verdict. Of these, only
words that stand in no request of the same sample count, since who is shown a text may repeat it. A reference
is what the task says it is (`Task.references`). A judge's wording is each sentence of the task's prompts; its
form of verdict are the tags and keys that both a prompt and the judge's replies have.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.reply_digests import LONG_WORDS, words_of
from suite.board.verify.subject import VerifiedRun
from suite.journal.index import digest64
from suite.journal.records import OutputRecord
from suite.task import Task

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
SENTENCE_WORDS = 8  # of a prompt: a shorter one is met by chance
REFERENCE_WORDS = 12
MOST_VERDICTS = 1000  # replies of judges that are looked at for their form
_FIRST = 3  # words by which a reference's place in a text is found
_FIELD = re.compile(r"\{\w+\}|\n|[.!?:;]\s")
_FORM = re.compile(r"</?[a-z_]{3,}>|\"[a-z_]{3,}\"\s*:|\[\[\w+\]\]")


@dataclass
class _CellReplies:
    """What one cell's outputs have in common. tally: of them by what is counted, and of 5-grams ("grams").
    owners: digest of a long text -> its sample, -1 for several.
    """

    tally: Counter[str] = field(default_factory=Counter)
    owners: dict[int, int] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)
    openings: Counter[int] = field(default_factory=Counter)
    grams: set[int] = field(default_factory=set)
    trials: dict[int, int] = field(default_factory=dict)
    whole: Counter[int] = field(default_factory=Counter)


def check_replies(subject: VerifiedRun, rules: OddRules, temperature: float) -> None:
    """Everything about what was answered. temperature: the highest that the candidate was asked at."""
    cells: dict[str, _CellReplies] = {}
    most = MOST_GRAMS // max(len(subject.run.manifest.cells), 1)
    leaks = Leaks(subject)
    for record in subject.run.outputs():
        text = subject.run.text(record)
        words = words_of(text)
        cell = cells.setdefault(record.cell, _CellReplies())
        _add(cell, record, text, words, most)
        leaks.add(cell, record, text, words)
        if record.output.finish != "stop":
            subject.failed.setdefault(record.cell, set()).add(digest64(record.sample))
    judged = any(name.partition("/")[0] == "judge" for name in subject.members)
    for name, cell in cells.items():
        tally, where = cell.tally, subject.place("outputs.jsonl", f"cell {name}")
        subject.usual[name] = max(cell.whole.values()) / tally["outputs"]
        if rules.enough(tally["long"]):
            _alike(rules, where, cell)
        many = tally["odd"] > max(1, rules["odd characters"] * tally["outputs"])
        rules.tell("odd characters", where, many, found=tally["odd"])
        rules.tell("at judge", where, judged and tally["at judge"], found=tally["at judge"])
        unmoved = temperature > 0 and rules.enough(tally["repeated"]) and not tally["moved"]
        rules.tell("trials", where, unmoved, found=tally["repeated"])
        for rule, of in (("references", tally["compared"]), ("judge's words", tally["outputs"])):
            share, found = rules[rule], tally[rule]
            many = rules.enough(of) and found > max(1, share * of)
            rules.tell(rule, where, many, expected=f"at most {share:.0%}", found=f"{found} of {of}")
    _rationales(subject, rules)


def _add(cell: _CellReplies, record: OutputRecord, text: str, words: list[str], most: int) -> None:
    cell.tally["outputs"] += 1
    whole = digest64(text)
    cell.whole[whole if record.output.data is None else digest64(whole, _encode(record.output.data))] += 1
    sample = digest64(record.sample)
    if record.trial == 0:
        cell.trials[sample] = whole
    elif sample in cell.trials:
        cell.tally["repeated"] += 1
        cell.tally["moved"] += cell.trials[sample] != whole
    enormous = any(run in text for run in _ENORMOUS)
    cell.tally["odd"] += enormous or (not text.isascii() and bool(_ODD.search(text)))
    lower = text.lower()
    cell.tally["at judge"] += any(hint in lower for hint in _HINTS) and bool(_AT_JUDGE.search(lower))
    if len(words) < LONG_WORDS or record.trial:
        return
    cell.tally["long"] += 1
    key = digest64(" ".join(words))
    cell.counts[key] += 1
    owner = cell.owners.setdefault(key, sample)
    if owner != sample:
        cell.owners[key] = -1
    if len(text) >= OPENING:
        cell.openings[digest64(text[:OPENING])] += 1
    grams = min(len(words) - 4, most - cell.tally["grams"])
    if grams > 0:
        cell.tally["grams"] += grams
        cell.grams.update(hash(tuple(words[i : i + 5])) for i in range(grams))


def _alike(rules: OddRules, where: str, cell: _CellReplies) -> None:
    """Long outputs that are the same, or nearly."""
    copied = sum(cell.counts[key] for key, owner in cell.owners.items() if owner == -1) / cell.tally["long"]
    if copied > rules["copies"]:
        name = "pasted" if copied > rules["pasted"] else "copies"
        rules.tell(name, where, found=f"{copied:.0%} of {cell.tally['long']} long outputs")
    distinct = len(cell.grams) / cell.tally["grams"] if cell.tally["grams"] else 1.0
    rules.tell("constant", where, distinct < rules["constant"], found=f"{distinct:.1%} distinct")
    most = max(cell.openings.values(), default=0) / cell.tally["long"]
    rules.tell("opening", where, most > rules["opening"], found=f"{most:.0%}")


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


class _Reference(NamedTuple):
    """A reference answer without its text. first: of its first words."""

    words: int
    first: int
    whole: int


class Leaks:
    """What no candidate is shown, counted in one output after the other."""

    def __init__(self, subject: VerifiedRun) -> None:
        self._subject = subject
        self._references: dict[int, list[_Reference]] = _references(subject)
        self._sentences, self._forms = _judges(subject)

    def add(self, cell: _CellReplies, record: OutputRecord, text: str, words: Sequence[str]) -> None:
        """Count in one output of a cell. words: as `words_of` gives them."""
        references: Sequence[_Reference] = ()
        if self._references:
            references = self._references.get(digest64(record.cell, record.sample), ())
        cell.tally["compared"] += bool(references)
        held = [one for one in references if _holds(words, one)]
        spoken = f" {' '.join(words)} " if self._sentences else ""
        anchors = self._sentences.keys() & set(words)
        said = [one for anchor in anchors for one in self._sentences[anchor] if f" {one} " in spoken]
        forms = [one for one in self._forms if one in text]
        if held or said or forms:
            asked = self._asked(record)
            shown = words_of(asked)
            request = f" {' '.join(shown)} "
            cell.tally["references"] += any(not _holds(shown, one) for one in held)
            own = any(f" {one} " not in request for one in said) or any(one not in asked for one in forms)
            cell.tally["judge's words"] += own

    def _asked(self, record: OutputRecord) -> str:
        """All that the sample's own requests say."""
        found = []
        for name in record.calls:
            call = self._subject.run.solve_calls.find(name)
            if call is not None:
                request = self._subject.run.journal.blocks.request(call)
                found += [one.content for one in request.messages]
                found += [request.prompt, *request.texts]
        return "\n".join(found)


def _holds(words: Sequence[str], reference: _Reference) -> bool:
    return any(
        hash(tuple(words[at : at + _FIRST])) == reference.first
        and digest64(*words[at : at + reference.words]) == reference.whole
        for at in range(len(words) - reference.words + 1)
    )


def _references(subject: VerifiedRun) -> dict[int, list[_Reference]]:
    """Cell and sample -> its references, of the tasks that have some."""
    plan = subject.plan
    found: dict[int, list[_Reference]] = {}
    if plan is None:
        return found
    for cell in plan.cells:
        if type(cell.task).references is Task.references:
            continue
        for sample in plan.samples(cell):
            kept = [one for one in map(words_of, cell.task.references(sample)) if len(one) >= REFERENCE_WORDS]
            if kept:
                found[digest64(cell.id, sample.id)] = [
                    _Reference(len(one), hash(tuple(one[:_FIRST])), digest64(*one)) for one in kept
                ]
    return found


def _judges(subject: VerifiedRun) -> tuple[dict[str, set[str]], tuple[str, ...]]:
    """Sentences of the prompts by their anchor, the longest word, which a text must have to hold them; and
    the forms of a verdict. Nothing where nobody judges.
    """
    if subject.plan is None or not subject.run.scoring_manifest.roles:
        return {}, ()
    prompts = [cell.task.prompts for cell in subject.planned.cells]
    texts = {getattr(one, name).text for one in prompts for name in one.names()}
    sentences: dict[str, set[str]] = {}
    for text in texts:
        for piece in _FIELD.split(text.replace("{{", " ").replace("}}", " ")):
            words = words_of(piece)
            if len(words) >= SENTENCE_WORDS:
                sentences.setdefault(max(words, key=len), set()).add(" ".join(words))
    told = {match for text in texts for match in _FORM.findall(text)}
    used: set[str] = set()
    for number, call in enumerate(subject.run.judged.calls):
        if number >= MOST_VERDICTS or used == told:
            break
        used |= {one for one in told - used if one in call.reply.text}
    return sentences, tuple(sorted(used))
