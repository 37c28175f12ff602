"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """Two kinds of sandbox."""
    return [
        suite.Entry("sandbox", "bubblewrap", "Linux namespaces, by bwrap", "suite_sandbox.bubblewrap:opened"),
        suite.Entry("sandbox", "container", "Podman or Docker", "suite_sandbox.container:opened"),
    ]
