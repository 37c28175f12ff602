"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """A task, two simulated users, a command, an analysis, a folder of registry entries."""
    return [
        suite.Entry(
            "task",
            "userbench/travel",
            "UserBench: agents that draw out what a traveller wants",
            "suite_userbench.task:Travel",
        ),
        suite.Entry(
            "user", "rules-v1", "A user by rules, without a model", "suite_userbench.users.rules:KIND"
        ),
        suite.Entry(
            "user", "llm", "A user played by the model in the role `user`", "suite_userbench.users.llm:KIND"
        ),
        suite.Entry(
            "analysis",
            "userbench",
            "What was brought out when, and the bounds of the baselines",
            "suite_userbench.analysis:analysis",
        ),
        suite.Entry(
            "command",
            "userbench",
            "Generate scenarios, export episodes, run baselines",
            "suite_userbench.cli:userbench",
        ),
        suite.Entry("registry", "userbench", "UserBench's bundled mini data", "suite_userbench:registry"),
    ]
