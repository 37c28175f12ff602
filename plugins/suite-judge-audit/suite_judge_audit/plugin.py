"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """Two tasks, what they mean in a report, the bundled questions."""
    return [
        suite.Entry(
            "task",
            "judge-audit/biases",
            "Biases of a judge: position, length, itself, the crowd, distraction",
            "suite_judge_audit.biases:Biases",
        ),
        suite.Entry(
            "task",
            "judge-audit/labels",
            "A judge against human labels: agreement, sensitivity, specificity",
            "suite_judge_audit.labels:Labels",
        ),
        suite.Entry(
            "analysis", "judge-audit", "What a judge's audit means", "suite_judge_audit.biases:PROFILE"
        ),
        suite.Entry("registry", "judge-audit", "Questions for auditing judges", "suite_judge_audit:registry"),
    ]
