"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """Two tasks, an importer of upstream's result files, a part of the report, registry entries."""
    return [
        suite.Entry(
            "task",
            "prefeval/generation",
            "PrefEval: answers that follow a preference",
            "suite_prefeval.generation:Generation",
        ),
        suite.Entry(
            "task",
            "prefeval/classification",
            "PrefEval: picks the option that respects a preference",
            "suite_prefeval.classification:Classification",
        ),
        suite.Entry(
            "importer", "prefeval", "Result files of the PrefEval repository", "suite_prefeval.importer:read"
        ),
        suite.Entry(
            "analysis", "prefeval", "Error types, and letters picked", "suite_prefeval.sections:SECTIONS"
        ),
        suite.Entry("registry", "prefeval", "PrefEval's bundled mini data", "suite_prefeval:registry"),
    ]
