"""What this plugin brings, announced without importing it."""

import suite


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    """One exporter."""
    title = "A run of MLflow, live and at the end"
    return [suite.Entry("exporter", "mlflow", title, "suite_mlflow.exporter:Mlflow")]
