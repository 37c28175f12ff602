"""Answers that hold what no candidate is shown: reference answers, the judge's wording, its form of verdict.

Only words that stand in no request of the same sample count, since who is shown a text may repeat it. A
reference is what the task says it is (`Task.references`). A judge's wording is each sentence of the task's
prompts; its form of verdict are the tags and keys that both a prompt and the judge's replies have.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.subject import VerifiedRun
from suite.journal.index import digest64
from suite.journal.records import OutputRecord
from suite.task import Task

SENTENCE_WORDS = 8  # of a prompt: a shorter one is met by chance
REFERENCE_WORDS = 12
MOST_VERDICTS = 1000  # replies of judges that are looked at for their form
_FIRST = 3  # words by which a reference's place in a text is found
_WORD = re.compile(r"\w+")
_FIELD = re.compile(r"\{\w+\}|\n|[.!?:;]\s")
_FORM = re.compile(r"</?[a-z_]{3,}>|\"[a-z_]{3,}\"\s*:|\[\[\w+\]\]")


def words_of(text: str) -> list[str]:
    """The words of a text in lower case: what remains when layout and punctuation are changed."""
    return _WORD.findall(text.lower())


class _Reference(NamedTuple):
    """A reference answer without its text. first: of its first words."""

    words: int
    first: int
    whole: int


class Leaks:
    """Looks at one output after the other, then reports. `wanted`: whether there is anything to look for."""

    def __init__(self, subject: VerifiedRun) -> None:
        self._subject = subject
        self._references: dict[int, list[_Reference]] = _references(subject)
        self._sentences, self._forms = _judges(subject)
        self._outputs: Counter[str] = Counter()
        self._compared: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        self._said: Counter[str] = Counter()
        self.wanted = bool(self._references or self._sentences or self._forms)

    def add(self, record: OutputRecord, text: str, words: Sequence[str]) -> None:
        """One output. words: as `words_of` gives them."""
        self._outputs[record.cell] += 1
        references = self._references.get(digest64(record.cell, record.sample), ())
        self._compared[record.cell] += bool(references)
        held = [one for one in references if _holds(words, one)]
        spoken = f" {' '.join(words)} " if self._sentences else ""
        anchors = self._sentences.keys() & set(words)
        said = [one for anchor in anchors for one in self._sentences[anchor] if f" {one} " in spoken]
        forms = [one for one in self._forms if one in text]
        if held or said or forms:
            asked = self._asked(record)
            shown = words_of(asked)
            request = f" {' '.join(shown)} "
            self._held[record.cell] += any(not _holds(shown, one) for one in held)
            own = any(f" {one} " not in request for one in said) or any(one not in asked for one in forms)
            self._said[record.cell] += own

    def report(self, rules: OddRules) -> None:
        """Findings by cell."""
        for cell, outputs in self._outputs.items():
            where = self._subject.place("outputs.jsonl", f"cell {cell}")
            for name, found, of in (
                ("references", self._held[cell], self._compared[cell]),
                ("judge's words", self._said[cell], outputs),
            ):
                most = rules[name]
                if rules.enough(of) and found > max(1, most * of):
                    rules.tell(name, where, expected=f"at most {most:.0%}", found=f"{found} of {of}")

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
    if subject.plan is None or not subject.scoring_manifest.roles:
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
