"""suite models: the models that the suite can fetch by itself."""

import click

from suite.cli import pulls
from suite.data.registry import Registry


@click.group("models")
def models() -> None:
    """Models with weights in the registry: list and fetch them.

    \b
    Example:
      suite models pull smollm2-135m
    """


pulls.add_commands(
    models,
    Registry.models,
    Registry.model,
    "model",
    list_="All models, and which are here.",
    show="Source, licence and files of a model.",
    pull="Fetch models and check every byte.",
    examples=("list", "show smollm2-135m", "pull smollm2-135m minilm-l6-v2"),
)
