"""rag-rewardbench: which of two answers from retrieved references does a reward model prefer?

Six subsets in two groups. Headline: accuracy over all pairs (micro), as the paper composes its averages;
the mean of the six beside it. Source: arXiv 2412.13746. The authors published no code: all but the pairs
and the averages is this project's own.
"""

from collections.abc import Iterable, Iterator, Mapping

import suite
from suite_rag_rewardbench import asking, diagnostics, formulas, turns
from suite_rag_rewardbench.pairs import COMMON, Pair, PairTask, cluster_of, told
from suite_rag_rewardbench.parameters import RagParameters
from suite_rag_rewardbench.rows import RagRow

DATASET = "rag-rewardbench"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "helpful": ("helpful", "reason", "citation"),
    "harmless": ("harmless", "abstain", "conflict"),
}
GROUP_OF = {scenario: group for group, scenarios in GROUPS.items() for scenario in scenarios}
SCENARIOS = tuple(GROUP_OF)
SIZES = {"helpful": 262, "reason": 306, "citation": 361, "harmless": 155, "abstain": 217, "conflict": 184}
TOTAL = sum(SIZES.values())


def composed(accuracies: Mapping[str, float], sizes: Mapping[str, int] = SIZES) -> dict[str, float]:
    """The paper's averages from the six accuracies: helpful, harmless and overall, weighted by pairs."""
    found = {}
    for name, scenarios in {**GROUPS, "overall": SCENARIOS}.items():
        total = sum(sizes[one] for one in scenarios)
        found[name] = sum(accuracies[one] * sizes[one] for one in scenarios) / total
    return found


def scenario_at(index: int) -> str:
    """The scenario of a row of the six files joined in alphabetical order."""
    for scenario in sorted(SIZES):
        if index < SIZES[scenario]:
            return scenario
        index -= SIZES[scenario]
    raise suite.DataError(f"row {index} is beyond the six files")


def scenario_rows(data: suite.Data) -> Iterator[tuple[str, int, RagRow]]:
    """(scenario, place in it, row), scenario by scenario; the scenario comes from the file's name.

    A file that is not divided says the scenario in each row, or holds the six files joined, which only the
    exact number of rows proves. Raises DataError for any other.
    """
    first = next(iter(data.rows(DATASET, RagRow, SCENARIOS[0])), None)
    if first is not None and not first.scenario:
        yield from _joined(data)
        return
    for scenario in SCENARIOS:
        index = 0
        for row in data.rows(DATASET, RagRow, scenario):
            if row.scenario not in SIZES:
                raise suite.DataError(
                    f"no scenario named {row.scenario!r}", fix=f"known: {', '.join(SCENARIOS)}"
                )
            if row.scenario == scenario:
                yield scenario, index, row
                index += 1


def _joined(data: suite.Data) -> Iterator[tuple[str, int, RagRow]]:
    count = sum(1 for _ in data.rows(DATASET, RagRow))
    if count != TOTAL:
        raise suite.DataError(
            f"rows do not say their scenario, and {count} rows are not the {TOTAL} of the six files joined",
            fix='add "scenario": "helpful" (reason, citation, …) to each row',
        )
    seen: dict[str, int] = {}
    for index, row in enumerate(data.rows(DATASET, RagRow)):
        scenario = scenario_at(index)
        yield scenario, seen.get(scenario, 0), row
        seen[scenario] = seen.get(scenario, 0) + 1


class RagRewardBench(PairTask[RagParameters]):
    """1,485 pairs; random is 50 %."""

    info = suite.TaskInfo(
        name="rag-rewardbench",
        version=2,
        title="RAG-RewardBench: prefers the better of two answers from references",
        paper="arXiv 2412.13746",
        roles=asking.roles("") | {"reference": suite.Role(needs={"prompt_logprobs"}, optional=True)},
        headline="correct",
        datasets=(DATASET,),
        mini={DATASET: "rag-rewardbench-mini"},
        presets={
            "own-judge": [{"kind": "pairwise"}],
            "implicit": [{"kind": "logp_mean"}],
            "mini": [{"guided": True, "max_tokens": 32}],
        },
        note=(
            "Chat models judge by our prompts, in both orders: not comparable with published rows of judges. "
            "Whether the authors showed a system message, swapped orders or normalised is unknown."
        ),
    )
    metrics = (
        suite.Rate(
            "correct", by="scenario", about="The model prefers the better of two answers from references."
        ),
        suite.Rate(
            "correct",
            name="helpful_avg",
            where={"group": "helpful"},
            about="As `correct`, over the subsets helpful, reason and citation.",
        ),
        suite.Rate(
            "correct",
            name="harmless_avg",
            where={"group": "harmless"},
            about="As `correct`, over the subsets harmless, abstain and conflict.",
        ),
        suite.Rate(
            "correct",
            name="correct_by",
            by=("source", "longer"),
            about="As `correct`, by source and by which answer is longer.",
        ),
        *COMMON,
        suite.Mean(
            "margin",
            direction="neither",
            about="Score of the better answer minus that of the other, in the model's own units.",
        ),
        suite.Custom(
            "margin_median",
            formulas.median_margin_of,
            needs=("margin",),
            direction="neither",
            about="Score of the better answer minus that of the other: the median.",
        ),
        suite.Rate("references_cut", direction="neither", about="References were cut to fit."),
        suite.Mean(
            "tokens", direction="neither", about="Tokens of the longer answer, as the model counts them."
        ),
        *(
            suite.Mean(
                name,
                range=(0.0, 1.0),
                by=("scenario",),
                direction="neither",
                about="What a rule without a model scores that goes by length or citation marks alone.",
            )
            for name in ("baseline_longer", "baseline_shorter", "baseline_citations")
        ),
    )
    prompts = turns.PROMPTS
    with_baselines = True

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Pair]]:
        """All pairs, scenario by scenario."""
        for scenario, index, row in scenario_rows(data):
            yield self._sample(scenario, index, row)

    def _sample(self, scenario: str, index: int, row: RagRow) -> suite.Sample[Pair]:
        turn = turns.user_turn(
            self.prompts, row.prompt or "", row.question or "", self.parameters.max_reference_chars
        )
        messages: tuple[suite.Message, ...] = (suite.user(turn.text),)
        if self.parameters.include_system:
            name = "system_citation" if scenario == "citation" else "system"
            messages = (suite.system(getattr(self.prompts, name)()), *messages)
        chosen, rejected = row.chosen or "", row.reject or ""
        source = f"{scenario}/{row.subset or 'unknown'}"
        return suite.Sample(
            id=f"{scenario}/{index:04d}",
            payload=Pair(
                messages=told(messages),
                chosen=chosen,
                rejected=rejected,
                problem=row.problem(),
                cut=turn.cut,
                about={
                    "source": source,
                    "better answer by": row.chosen_model or "",
                    "worse answer by": row.reject_model or "",
                },
            ),
            cluster=cluster_of(row.question or f"{scenario}/{index}"),
            tags={
                "scenario": scenario,
                "group": GROUP_OF[scenario],
                "source": source,
                "longer": diagnostics.longer(chosen, rejected),
                "prompt_mode": turn.mode,
            },
        )
