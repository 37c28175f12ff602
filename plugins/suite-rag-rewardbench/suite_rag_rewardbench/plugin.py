"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """Three tasks, an importer of score files, a report section, a command, registry entries."""
    return [
        suite.Entry(
            "task",
            "rag-rewardbench",
            "RAG-RewardBench: prefers the better of two answers from references",
            "suite_rag_rewardbench.rag:RagRewardBench",
        ),
        suite.Entry(
            "task",
            "reward-bench/v1",
            "RewardBench: prefers the better of two answers",
            "suite_rag_rewardbench.v1:RewardBench1",
            aliases=("reward-bench",),
        ),
        suite.Entry(
            "task",
            "reward-bench/v2",
            "RewardBench 2: prefers the good answer of four, and ties fairly",
            "suite_rag_rewardbench.v2:RewardBench2",
            aliases=("reward-bench-2",),
        ),
        suite.Entry(
            "importer",
            "reward-bench",
            "Score files of the RewardBench repository and its results on the Hub",
            "suite_rag_rewardbench.importer:read",
        ),
        suite.Entry(
            "analysis",
            "reward-models",
            "Accuracy, margins, calibration and agreement of reward models",
            "suite_rag_rewardbench.sections:ANALYSIS",
        ),
        suite.Entry(
            "command",
            "reward-models",
            "Compare reward models: headlines and agreement",
            "suite_rag_rewardbench.cli:reward_models",
        ),
        suite.Entry("registry", "rag-rewardbench", "Bundled mini data", "suite_rag_rewardbench:registry"),
    ]
