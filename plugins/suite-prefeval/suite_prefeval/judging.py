"""Asking the judge the four checks about one answer.

Always four calls in upstream's order, the third even where there is nothing quoted. A reply that cannot be
read is answered with a correction and asked once more, for the bare word, which engines that can are held
to; upstream's rule keeps looking at the first reply.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import suite
from suite_prefeval import verdicts
from suite_prefeval.rows import Item

JUDGE_TOKENS = 100
CORRECTION = 'That could not be read. Answer my question with one word, "Yes" or "No".'
ONE_WORD = {"type": "string", "enum": ["Yes", "No"]}


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: the judge's first reply, whether it was asked again, and the answer read in the end."""

    check: str
    first: str
    again: bool
    answer: verdicts.Known

    def part(self) -> suite.Part:
        """The check as a part of the score: yes, whether it stayed unread, and whether it needed a retry."""
        return suite.Part(
            id=self.check,
            values={
                "yes": suite.Unscored(verdicts.UNPARSED) if self.answer is None else self.answer,
                "judge_unparsed": self.answer is None,
                "judge_retried": self.again,
            },
            tags={"check": self.check},
        )


async def check_all(
    judge: suite.Model, prompts: suite.Prompts, item: Item, response: str
) -> dict[str, Checked]:
    """All four checks of a response, by name."""
    fields = {"preference": item.preference, "question": item.question, "response": response}
    done: dict[str, Checked] = {}
    for name in verdicts.CHECKS:
        done[name] = await _check(judge, prompts, name, fields)
        if name == "acknowledge":
            fields["restatement"] = verdicts.restatement(done[name].first)
    return done


async def _check(judge: suite.Model, prompts: suite.Prompts, name: str, fields: Mapping[str, str]) -> Checked:
    template = getattr(prompts, name)
    text = template(**{field: fields[field] for field in template.fields})
    messages = [suite.system(prompts.judge()), suite.user(text)]
    first = await judge.chat(messages, max_tokens=JUDGE_TOKENS)
    answer = verdicts.answer(first.text)
    if answer is not None:
        return Checked(name, first.text, again=False, answer=answer)
    messages += [suite.assistant(first.text), suite.user(CORRECTION)]
    schema = ONE_WORD if "json_schema" in judge.capabilities else None
    second = await judge.chat(messages, max_tokens=JUDGE_TOKENS, json_schema=schema)
    return Checked(name, first.text, again=True, answer=verdicts.answer(second.text))
