"""contexteval/codes: on what the judges' reasons rest, content (1) or surface (2).

Reads a run of `contexteval/judge` (or the published judgements). For every pair and setting one judge's
reason is taken. Expected: fewer surface-level reasons once the judge sees the context.
"""

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import suite
from suite_contexteval import columns, official, parsers, reading, wording, wrapping
from suite_contexteval.asking import told, unread
from suite_contexteval.bottom import smallest
from suite_contexteval.parameters import CodesParameters
from suite_contexteval.published import in_order
from suite_contexteval.reading import JUDGEMENTS, MINI
from suite_contexteval.rows import SETTINGS, Asked, Judgement, Setting

SEED = 423
_MARKED = "Justification"

T = TypeVar("T")
Drawn = TypeVar("Drawn")

_MARK = re.compile(r"\bjustification\W{0,4}\s*", re.IGNORECASE)
_DICTIONARY = re.compile(r"^.*?\{[^{}]*judge?ment[^{}]*\}", re.DOTALL | re.IGNORECASE)


class Reason(suite.Payload):
    """One judge's reason for one verdict. preferred: the label it gave."""

    example_id: str
    query: str
    source: str = ""
    context: str = ""
    setting: Setting
    judge: str
    preferred: str
    reason: str


def reason(text: str) -> str:
    """The reason in a judge's reply, "" if it gave none."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return str(found.get("justification", "")).strip()
    if marks := list(_MARK.finditer(text)):
        return text[marks[-1].end() :].strip(" \"'*}\n")
    return _DICTIONARY.sub("", text.replace("*", ""), count=1).strip() if _DICTIONARY.match(text) else ""


class Codes(suite.Task[Reason, CodesParameters]):
    """Two codes; a reason may get both."""

    info = suite.TaskInfo(
        name="contexteval/codes",
        version=2,
        title="ContextEval stage: on what the judges' reasons rest",
        paper="arXiv 2411.07237",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="surface",
        datasets=(JUDGEMENTS,),
        mini={JUDGEMENTS: MINI},
        presets={"paper": [{"protocol": "paper", "sample": 1000, "temperature": None}]},
        note="Published: 5 to 7 % fewer surface-level reasons with context.",
    )
    metrics = (
        suite.Rate(
            "surface",
            by="setting",
            direction="neither",
            about="The judge's reason rests on surface: style, length, form.",
        ),
        suite.Rate(
            "content", by="setting", direction="neither", about="The judge's reason rests on content."
        ),
        suite.Rate("readable", about="The reply could be read."),
        suite.Custom(
            "surface_drop_with_context",
            lambda columns: _drop(columns),
            needs=("surface", "tag:setting"),
            direction="neither",
            range=(-1.0, 1.0),
            about="How much rarer reasons on surface are once the judge sees the context.",
        ),
    )
    prompts = wording.CODES

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Reason]]:
        """One reason for each pair and setting; `sample` of them, drawn over the whole, where it is set."""
        found = published(data, self.parameters) if _published(data) else self._own(data)
        for one in found:
            yield suite.Sample(
                f"{one.example_id}/{one.setting}",
                one,
                group=one.example_id,
                tags={**reading.tags(one.source), "setting": one.setting},
            )

    def _own(self, data: suite.Data) -> Iterable[Reason]:
        if self.parameters.protocol == "paper":
            rows = sorted(reading.judgements(data), key=lambda row: SETTINGS.index(row.setting))
            return paper_draws(rows, _qualified, self._said, self.parameters.sample)
        found = (one for row in reading.judgements(data) if (one := self._drawn(row)) is not None)
        most = self.parameters.sample
        if most is None:
            return found
        kept = smallest(found, most, key=lambda one: f"{one.example_id}/{one.setting}")
        return sorted(kept, key=lambda one: (one.example_id, SETTINGS.index(one.setting)))

    def _drawn(self, row: Judgement) -> Reason | None:
        candidates = [
            (record.judge, one)
            for record in row.judges
            for one in record.orders
            if one.state in ("valid", "tie") and reason(one.text)
        ]
        if not candidates or official.failed(row.candidate) or official.failed(row.baseline):
            return None
        return _reason_of(
            row,
            *min(
                candidates, key=lambda one: _digest(row.example_id, row.setting, one[0], str(one[1].swapped))
            ),
        )

    def _said(self, row: Judgement, judge: str) -> Reason:
        record = next(one for one in row.judges if one.judge == judge)
        return _reason_of(row, judge, next(one for one in record.orders if _MARKED in one.text))

    async def solve(self, sample: suite.Sample[Reason], models: suite.Models) -> suite.Output:
        """data: {example_id, query, setting, judge, preferred, reason, codes}."""
        one = sample.payload
        verdict = await suite.judge(
            models.candidate,
            self.prompts.code(
                query=one.query,
                context=one.context or "none",
                preferred=one.preferred,
                reason=one.reason,
            ),
            parse=parsers.codes,
            schema={"enum": ["1", "2", "1, 2"]},
            max_tokens=self.parameters.max_tokens,
            temperature=self.parameters.temperature,
        )
        kept = one.model_dump(mode="json", exclude={"source", "context"})
        return told(verdict, {**kept, "codes": list(verdict.value or ())})

    async def score(
        self,
        sample: suite.Sample[Reason],  # noqa: ARG002
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """content and surface: whether the reason has the code."""
        lost = unread(output)
        codes = output.data["codes"]
        return suite.Score(
            {
                "content": lost or 1 in codes,
                "surface": lost or 2 in codes,
                "readable": output.data["readable"],
            }
        )


def _qualified(row: Judgement) -> list[str]:
    """The judges whose raw text holds upstream's word, in the panel's order."""
    return [record.judge for record in row.judges if any(_MARKED in one.text for one in record.orders)]


def _reason_of(row: Judgement, judge: str, asked: Asked) -> Reason:
    return Reason(
        example_id=row.example_id,
        query=row.query,
        source=row.source,
        context="" if row.setting == "none" else wrapping.text_of(row),
        setting=row.setting,
        judge=judge,
        preferred="Tie" if asked.value is None else f"Response {asked.value}",
        reason=reason(asked.text) or asked.text,
    )


def paper_draws(
    rows: Iterable[T],
    qualified: Callable[[T], Sequence[str]],
    said: Callable[[T, str], Drawn],
    most: int | None,
) -> list[Drawn]:
    """What upstream draws of one pair of models' rows, which come setting by setting: one judge for each row
    that has a qualified one, then `most` of all (all of them where there are fewer).
    """
    chance = random.Random(SEED)
    drawn = [(row, chance.choice(judges)) for row in rows if (judges := qualified(row))]
    kept = drawn if most is None else chance.sample(drawn, min(most, len(drawn)))
    return [said(row, judge) for row, judge in kept]


def _drop(table: Mapping[str, Any]) -> float | None:
    without = table["tag:setting"] == "none"
    if not without.any() or without.all():
        return None
    return float(table["surface"][without].mean() - table["surface"][~without].mean())


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def _published(data: suite.Data) -> bool:
    """Whether the dataset is the published one: it has a part of its own for the models' records."""
    return data.has(JUDGEMENTS, "autorater") and not data.has(JUDGEMENTS, "judgements")


def published(data: suite.Data, parameters: CodesParameters) -> list[Reason]:
    """Reasons out of the published records, streamed: one judge a pair of models, query and setting."""
    choose = _published_paper if parameters.protocol == "paper" else _published_sound
    found = [_published_reason(one) for one in choose(data, parameters.sample)]
    return sorted(found, key=lambda one: (one.example_id, SETTINGS.index(one.setting)))


def _published_sound(data: suite.Data, most: int | None) -> Iterator[columns.Judged]:
    best: dict[str, tuple[bytes, columns.Judged]] = {}
    for one in columns.judged(data.rows(JUDGEMENTS, dict, "autorater")):
        if not reason(one.text):
            continue
        key = f"{one.one}\x1f{one.two}\x1f{one.setting}\x1f{one.key}"
        digest = _digest(key, one.judge)
        if key not in best or digest < best[key][0]:
            best[key] = (digest, one)
        if most is not None and len(best) > 4 * most:
            best = {name: best[name] for name in smallest(best, most, key=str)}
    for key in best if most is None else smallest(best, most, key=str):
        yield best[key][1]


def _published_paper(data: suite.Data, most: int | None) -> Iterator[columns.Judged]:
    """Two passes: who is qualified where, then the texts that were drawn. Each pair of models by itself."""
    cells: dict[tuple[str, str], dict[str, dict[str, list[str]]]] = {}  # pair -> setting -> query -> judges
    for one in columns.judged(data.rows(JUDGEMENTS, dict, "autorater")):
        queries = cells.setdefault((one.one, one.two), {}).setdefault(one.setting, {})
        judges = queries.setdefault(one.key, [])
        if _MARKED in one.text:
            judges.append(one.judge)
    wanted = set()
    for pair, settings in cells.items():
        rows = [(setting, key) for setting in SETTINGS for key in settings.get(setting, ())]

        def qualified(row: tuple[str, str], pair: Any = pair, settings: Any = settings) -> Sequence[str]:
            return in_order(pair, settings[row[0]][row[1]])

        wanted |= {
            (*pair, *row, judge)
            for row, judge in paper_draws(rows, qualified, lambda row, judge: (row, judge), most)
        }
    for one in columns.judged(data.rows(JUDGEMENTS, dict, "autorater")):
        if (one.one, one.two, one.setting, one.key, one.judge) in wanted:
            yield one


def _published_reason(one: columns.Judged) -> Reason:
    pair = f"{one.one}_vs_{one.two}"
    return Reason(
        example_id=f"{one.key}/{pair}",
        query=one.query,
        source=pair,
        context=one.context if one.setting != "none" else "",
        setting=one.setting,
        judge=one.judge,
        preferred=one.shown,
        reason=reason(one.text) or one.text,
    )
