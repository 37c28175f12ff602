"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """One exporter."""
    title = "A run of Weights & Biases, live and at the end"
    return [suite.Entry("exporter", "wandb", title, "suite_wandb.exporter:WeightsAndBiases")]
