"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """A provider, and what its models cost."""
    return [
        suite.Entry(
            "provider", "anthropic", "Claude, by Anthropic's library", "suite_anthropic.engine:provider"
        ),
        suite.Entry("registry", "anthropic", "Prices of Claude", "suite_anthropic:registry"),
    ]
