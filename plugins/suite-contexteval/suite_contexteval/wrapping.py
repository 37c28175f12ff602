"""A query wrapped in a context, for whoever answers it and for whoever judges the answers.

Usable by any pairwise task over any queries: `asked` makes the request to a model, `comparison` the
request to a judge (a `Render` for `suite.compare_pair`). Text of a context: one line a pair,
`Q: <question> A: <answer>`. Not here: how contexts come about (the stage tasks).
"""

import re
from collections.abc import Callable, Sequence

import suite
from suite_contexteval.rows import QA, Contextual
from suite_contexteval.wording import PAIRWISE

Render = Callable[[str, str], Sequence[suite.Message]]
_LINE = re.compile(r"^\s*Q\d*:\s*(?P<question>.+?)\s+A\d*:\s*(?P<answer>.+?)\s*$", re.MULTILINE)


def context_text(qas: Sequence[QA]) -> str:
    """The context as text."""
    return "\n".join(f"Q: {one.question} A: {one.answer}" for one in qas)


def context_pairs(text: str) -> tuple[QA, ...]:
    """The pairs of a context's text; lines of another form are left out."""
    return tuple(QA(question=one["question"], answer=one["answer"]) for one in _LINE.finditer(text))


def text_of(item: Contextual) -> str:
    """The context of an item as text, "" if it has none."""
    return context_text(item.qas) if item.qas else item.context.strip()


def asked(query: str, context: str = "", prompts: suite.Prompts = PAIRWISE) -> list[suite.Message]:
    """The request to a model: the query alone, or with the context of the person who asks."""
    if context:
        return [suite.user(prompts.answer_with_context(query=query, context=context))]
    return [suite.user(prompts.answer(query=query))]


def comparison(
    query: str,
    context: str = "",
    *,
    justify: bool = True,
    may_tie: bool = True,
    prompts: suite.Prompts = PAIRWISE,
) -> Render:
    """The request to a judge, once the order of the responses is known.

    justify: whether a short reason is asked for after the verdict. may_tie: whether a tie is on offer.
    """
    labels = prompts.labels() if may_tie else prompts.labels_without_tie()
    form = prompts.verdict_with_reason(labels=labels) if justify else prompts.verdict_alone(labels=labels)

    def render(first: str, second: str) -> Sequence[suite.Message]:
        shown = {"query": query, "first": first, "second": second, "form": form}
        if context:
            return [suite.user(prompts.compare_with_context(context=context, **shown))]
        return [suite.user(prompts.compare(**shown))]

    return render
