"""Asking the judges the four checks about one answer.

Always four calls a judge in upstream's order, the third even where there is nothing quoted. A reply that
cannot be read, or was cut, is answered with a correction and asked once more, for the bare word, which
engines that can are held to; upstream's rule keeps looking at the first reply. A panel votes check by check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import suite
from suite_prefeval import verdicts
from suite_prefeval.rows import Item

JUDGE_TOKENS = 100
CORRECTION = 'That could not be read. Answer my question with one word, "Yes" or "No".'
ONE_WORD = {"type": "string", "enum": ["Yes", "No"]}


@dataclass(frozen=True, slots=True)
class Checked:
    """One check of one judge. panel: whether others sit beside it."""

    check: str
    verdict: suite.Verdict[bool]
    panel: bool

    @property
    def answer(self) -> bool | suite.Unscored:
        """Yes or No, or why there is none."""
        return self.verdict.value_or_unscored()

    @property
    def first(self) -> str:
        """The judge's first reply."""
        return self.verdict.first_text

    def part(self) -> suite.Part:
        """The check as a part of the score: yes, how its reply failed, whether it was asked again."""
        judge = self.verdict.judge
        return suite.Part(
            id=f"{judge}/{self.check}" if self.panel else self.check,
            values={
                "yes": self.answer,
                **self.verdict.counts(),
                "judge_retried": self.verdict.attempts > 1,
            },
            tags={"check": self.check, **({"judge": judge} if self.panel else {})},
        )


async def ask_panel(
    judges: Sequence[suite.Model], prompts: suite.Prompts, item: Item, response: str
) -> list[dict[str, Checked]]:
    """All four checks of a response by name, one mapping a judge. Raises CapabilityError without a judge."""
    if not judges:
        raise suite.CapabilityError("no judge sits on the panel", fix="name one: --judge SPEC")
    panel = len(judges) > 1
    return await suite.together([_check_all(one, prompts, item, response, panel=panel) for one in judges])


async def _check_all(
    judge: suite.Model, prompts: suite.Prompts, item: Item, response: str, *, panel: bool
) -> dict[str, Checked]:
    fields = {"preference": item.preference, "question": item.question, "response": response}
    done: dict[str, Checked] = {}
    for name in verdicts.CHECKS:
        done[name] = Checked(name, await _check(judge, prompts, name, fields), panel)
        if name == "acknowledge":
            fields["restatement"] = verdicts.restatement(done[name].first)
    return done


async def _check(
    judge: suite.Model, prompts: suite.Prompts, name: str, fields: Mapping[str, str]
) -> suite.Verdict[bool]:
    template = getattr(prompts, name)
    text = template(**{field: fields[field] for field in template.fields})
    return await suite.judge(
        judge,
        [suite.system(prompts.judge()), suite.user(text)],
        parse=verdicts.yes,
        retries=1,
        max_tokens=JUDGE_TOKENS,
        correction=CORRECTION,
        retry_cut=True,
        retry_schema=ONE_WORD,
    )


def voted(panel: Sequence[Mapping[str, Checked]]) -> dict[str, bool | suite.Unscored]:
    """Each check's answer: the judge's, or what more than half of a panel's readable votes say."""
    if len(panel) == 1:
        return {name: one.answer for name, one in panel[0].items()}
    return {name: suite.panel_label([one[name].answer for one in panel]) for name in verdicts.CHECKS}


def votes(panel: Sequence[Mapping[str, Checked]]) -> list[suite.Part]:
    """What each judge of a panel says of the whole, for its agreement; none for a single judge."""
    if len(panel) == 1:
        return []
    parts = []
    for one in panel:
        found = verdicts.findings({name: check.answer for name, check in one.items()})
        judge = one[verdicts.CHECKS[0]].verdict.judge
        parts.append(suite.Part(judge, {"vote": verdicts.values(found)["kept"]}, {"judge": judge}))
    return parts
