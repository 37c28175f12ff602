"""What this plugin brings. Light: every `suite` command reads it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """Announce the benchmark's parts."""
    return [
        suite.Entry(
            "command",
            "vericode",
            "Check Python files against verifiable instructions",
            "suite_vibechecker.cli:vericode",
        ),
        suite.Entry(
            "command",
            "vibechecker",
            "Build the environment of Vibe Checker's Big tests",
            "suite_vibechecker.cli:vibechecker",
        ),
    ]
