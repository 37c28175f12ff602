"""What this plugin brings. Light: every `suite` command reads it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """Announce the benchmark's parts."""
    return [
        suite.Entry(
            "task",
            "vibechecker/big",
            "Vibe Checker: library-heavy code that works and follows instructions",
            "suite_vibechecker.task:Big",
            aliases=("swe-if/big", "big-swe-if", "bigvibebench"),
        ),
        suite.Entry(
            "task",
            "vibechecker/live",
            "Vibe Checker: contest code that works and follows instructions",
            "suite_vibechecker.task:Live",
            aliases=("swe-if/live", "live-swe-if", "livevibebench"),
        ),
        suite.Entry(
            "analysis",
            "vibechecker",
            "Following instructions and still working, by number of instructions",
            "suite_vibechecker.analysis:analysis",
        ),
        suite.Entry(
            "registry", "vibechecker", "Vibe Checker's bundled mini data", "suite_vibechecker:registry"
        ),
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
