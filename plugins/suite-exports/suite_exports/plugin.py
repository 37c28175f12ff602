"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """Three exporters."""
    return [
        suite.Entry("exporter", "eee", "Every Eval Ever's files", "suite_exports.exporters:EveryEvalEver"),
        suite.Entry("exporter", "hub", "Results for a model on the Hub", "suite_exports.exporters:Hub"),
        suite.Entry(
            "exporter", "lm-eval", "lm-evaluation-harness's files", "suite_exports.exporters:Harness"
        ),
    ]
