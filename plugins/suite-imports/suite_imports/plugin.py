"""What this plugin brings, announced without importing it."""

import suite

KINDS = {  # of imported values: the task of a value, and what it holds
    "rate": "right or wrong",
    "grade": "a grade from 0 to 1",
    "gain": "a number, more is better",
    "loss": "a number, less is better",
    "number": "a number, neither way is better",
    "rate-parts": "right or wrong, in parts",
    "grade-parts": "a grade from 0 to 1, in parts",
    "gain-parts": "a number, more is better, in parts",
    "loss-parts": "a number, less is better, in parts",
}


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """Two importers, and a task for each kind of value that their logs hold."""
    return [
        suite.Entry(
            "importer", "inspect", "Logs of inspect-ai (.eval, .json)", "suite_imports.inspect_logs:read"
        ),
        suite.Entry(
            "importer",
            "lm-eval",
            "Results of lm-evaluation-harness, made with --log_samples",
            "suite_imports.lm_eval_logs:read",
        ),
        *(
            suite.Entry(
                "task",
                f"imported/{kind}",
                f"Imported from another tool: {about}",
                "suite_imports.tasks:Imported" + kind.title().replace("-", ""),
                stage=True,
            )
            for kind, about in KINDS.items()
        ),
    ]
