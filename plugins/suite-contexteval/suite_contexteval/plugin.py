"""What this plugin brings, announced without importing it."""

import suite

_TASKS = (
    ("pairwise", ": two models compared, with and without context", "pairwise:Pairwise"),
    ("default", ": whom a default response serves best", "default_bias:Default"),
    ("adapted", ": which users are harder to adapt to", "adapted:Adapted"),
    ("filter", " stage: which queries are well-formed", "filtering:Filter"),
    ("types", " stage: in which ways queries are underspecified", "types:Types"),
    ("contexts", " stage: follow-up questions with possible answers", "contexts:Contexts"),
    ("validate", " stage: which follow-up questions matter", "validation:Validate"),
    ("choose", " stage: one user's context for each query", "choosing:Choose"),
    ("respond", " stage: responses without and with context", "responding:Respond"),
    ("judge", " stage: two models' responses compared by a panel", "judging:Judge"),
    ("constraints", " stage: how many of the user's answers are taken up", "constraints:Constraints"),
    ("codes", " stage: on what the judges' reasons rest", "coding:Codes"),
    ("select", " stage: which queries suit which attribute", "selection:Select"),
)


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """Tasks (the compact one, two on one model, stages), sections, an importer, a command, entries."""
    tasks = [
        suite.Entry(
            "task",
            f"contexteval/{name}",
            f"ContextEval{title}",
            f"suite_contexteval.{target}",
            stage=title.startswith(" stage:"),
        )
        for name, title, target in _TASKS
    ]
    return [
        *tasks,
        suite.Entry(
            "analysis",
            "contexteval-settings",
            "ContextEval: what context changes",
            "suite_contexteval.analysis:SETTINGS_SECTIONS",
        ),
        suite.Entry(
            "analysis",
            "contexteval-attributes",
            "ContextEval: whom responses serve",
            "suite_contexteval.analysis:ATTRIBUTE_SECTIONS",
        ),
        suite.Entry(
            "importer",
            "contexteval",
            "Judgement files of ContextEval",
            "suite_contexteval.importer:read",
        ),
        suite.Entry(
            "command",
            "contexteval",
            "Make a pool of queries, recompute the published analysis",
            "suite_contexteval.cli:contexteval",
        ),
        suite.Entry(
            "registry", "contexteval", "ContextEval's bundled mini data", "suite_contexteval:registry"
        ),
    ]
