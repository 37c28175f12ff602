"""Asking the judge the four checks about one answer.

Always four calls in upstream's order, the third even where there is nothing quoted. A reply that cannot be
read is answered with a correction and asked again; upstream's rule keeps looking at the first reply.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import suite
from suite_prefeval import verdicts
from suite_prefeval.rows import Item

JUDGE_TOKENS = 100
TRIES = 3
CORRECTION = "That could not be read. Answer again in exactly the form I asked for."


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: the judge's first reply, its last one, how many it gave, the answer read from the last."""

    check: str
    first: str
    last: str
    tries: int
    answer: verdicts.Known

    def part(self) -> suite.Part:
        """The check as a part of the score: yes, whether it stayed unread, and whether it needed a retry."""
        return suite.Part(
            id=self.check,
            values={
                "yes": suite.Unscored(verdicts.UNPARSED) if self.answer is None else self.answer,
                "judge_unparsed": self.answer is None,
                "judge_retried": self.tries > 1,
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
        if name == "hallucinate":
            fields["restatement"] = verdicts.restatement(done["acknowledge"].last)
        done[name] = await _check(judge, prompts, name, fields)
    return done


async def _check(judge: suite.Model, prompts: suite.Prompts, name: str, fields: Mapping[str, str]) -> Checked:
    template = getattr(prompts, name)
    text = template(**{field: fields[field] for field in template.fields})
    messages = [suite.system(prompts.judge()), suite.user(text)]
    replies: list[str] = []
    answer: verdicts.Known = None
    for _ in range(TRIES):
        reply = await judge.chat(messages, max_tokens=JUDGE_TOKENS)
        replies.append(reply.text)
        answer = verdicts.answer(reply.text)
        if answer is not None:
            break
        messages += [suite.assistant(reply.text), suite.user(CORRECTION)]
    return Checked(name, replies[0], replies[-1], len(replies), answer)
