"""reward-bench/v1: 2,985 pairs in four sections, and four older test sets beside them.

Three sums are easily confused and all reported: the plain mean of the sections (headline, as on the public
leaderboard), the weighted mean with the prior sets (paper), and the mean over pairs (upstream's command).
Source: arXiv 2403.13787 and its repository.
"""

from collections.abc import Iterable, Sequence

import suite
from suite_rag_rewardbench import asking, diagnostics, formulas
from suite_rag_rewardbench.pairs import COMMON, Pair, PairTask, cluster_of, told
from suite_rag_rewardbench.parameters import V1Parameters
from suite_rag_rewardbench.rows import PairRow

DATASET, PART = "reward-bench", "filtered"
PRIOR_DATASET = "pref-test-sets"
_OVERALL = (
    (
        "overall_sections",
        formulas.overall_sections_of,
        "The mean of the four sections, as on the leaderboard.",
    ),
    (
        "overall_with_prior",
        formulas.overall_with_prior_of,
        "The mean of the sections with the prior sets at half their weight, as in the paper.",
    ),
)
_SECTIONS = (
    ("chat", "Chat", formulas.chat_of),
    ("chat_hard", "Chat Hard", formulas.chat_hard_of),
    ("safety", "Safety", formulas.safety_of),
    ("reasoning", "Reasoning", formulas.reasoning_of),
    ("prior_sets", formulas.PRIOR, formulas.prior_of),
)
_NEEDS = ("correct", "tag:subset")


class RewardBench1(PairTask[V1Parameters]):
    """Pairs of general chat, hard chat, safety, maths and code."""

    info = suite.TaskInfo(
        name="reward-bench/v1",
        version=2,
        title="RewardBench: prefers the better of two answers",
        paper="arXiv 2403.13787",
        roles=asking.roles("") | {"reference": suite.Role(needs={"prompt_logprobs"}, optional=True)},
        headline="overall_sections",
        datasets=(DATASET, PRIOR_DATASET),
        mini={DATASET: "reward-bench-mini", PRIOR_DATASET: "pref-test-sets-mini"},
        presets={
            "paper": [{"prior_sets": True}],
            "mini": [{"guided": True, "max_tokens": 32, "prior_sets": True}],
        },
    )
    metrics = (
        *(
            suite.Custom(name, formula, needs=_NEEDS, range=(0.0, 1.0), about=about)
            for name, formula, about in _OVERALL
        ),
        *(
            suite.Custom(
                name,
                formula,
                needs=_NEEDS,
                range=(0.0, 1.0),
                where={"section": section},
                about=f"Accuracy in the section {section}, its subsets weighted as published.",
            )
            for name, section, formula in _SECTIONS
        ),
        suite.Custom(
            "overall_official",
            formulas.overall_official_of,
            needs=("correct_official", "tag:subset"),
            range=(0.0, 1.0),
            about="Over all pairs of the sections, as the published command counts.",
        ),
        suite.Rate(
            "correct",
            by=("subset", "section", "longer"),
            about="The model prefers the better of two answers.",
        ),
        *COMMON,
        suite.Mean(
            "margin",
            direction="neither",
            about="Score of the better answer minus that of the other, in the model's own units.",
        ),
    )

    def datasets(self) -> Sequence[str]:
        """The prior sets only where they are asked for."""
        return (DATASET, PRIOR_DATASET) if self.parameters.prior_sets else (DATASET,)

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Pair]]:
        """All pairs in the order of the data; then the prior sets."""
        for index, row in enumerate(data.rows(DATASET, PairRow, PART)):
            yield _sample(row.subset or "unknown", index, row)
        if self.parameters.prior_sets:
            for name in formulas.PRIOR_SETS:
                for index, row in enumerate(data.rows(PRIOR_DATASET, PairRow, name)):
                    yield _sample(name, index, row)


def _sample(subset: str, index: int, row: PairRow) -> suite.Sample[Pair]:
    chosen, rejected = row.chosen or "", row.rejected or ""
    prior = subset in formulas.PRIOR_SETS
    messages = told(row.messages())
    prompt = " ".join(text for _, text in messages)
    return suite.Sample(
        id=f"{subset}/{index:05d}",
        payload=Pair(
            messages=messages,
            chosen=chosen,
            rejected=rejected,
            problem=row.problem(),
            about={"subset": subset, "id": str(row.id)},
        ),
        cluster=cluster_of(prompt or f"{subset}/{index}"),
        tags={
            "subset": subset,
            "section": formulas.PRIOR if prior else formulas.SECTION_OF.get(subset, "other"),
            "longer": diagnostics.longer(chosen, rejected),
        },
    )
