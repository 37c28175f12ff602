"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """Four exporters."""
    return [
        suite.Entry("exporter", "eee", "Every Eval Ever's files", "suite_exports.exporters:EveryEvalEver"),
        suite.Entry("exporter", "eval-yaml", "A benchmark's eval.yaml", "suite_exports.exporters:EvalYaml"),
        suite.Entry("exporter", "hub", "Results for a model on the Hub", "suite_exports.exporters:Hub"),
        suite.Entry(
            "exporter", "lm-eval", "lm-evaluation-harness's files", "suite_exports.exporters:Harness"
        ),
    ]
