"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """One exporter."""
    title = "A run of Trackio, live and at the end"
    return [suite.Entry("exporter", "trackio", title, "suite_trackio.exporter:Trackio")]
