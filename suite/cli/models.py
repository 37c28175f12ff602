"""suite models: the models that the suite can fetch by itself."""

import click

from suite.cli import pulls
from suite.cli.flags import accept_flag, json_flag


@click.group("models")
def models() -> None:
    """Models with weights in the registry: list and fetch them.

    \b
    Example:
      suite models pull smollm2-135m
    """


@models.command("list")
@json_flag
def list_(as_json: bool) -> None:
    """All models, and which are here.

    \b
    Example:
      suite models list
    """
    entries, problems = pulls.registry().models()
    pulls.show_list(entries, problems, as_json)


@models.command()
@click.argument("model")
@json_flag
def show(model: str, as_json: bool) -> None:
    """Source, licence and files of a model.

    \b
    Example:
      suite models show smollm2-135m
    """
    pulls.show_one(pulls.registry().model(model), as_json)


@models.command()
@click.argument("names", nargs=-1, required=True, metavar="MODEL…")
@accept_flag
@json_flag
def pull(names: tuple[str, ...], accept_licence: bool, as_json: bool) -> None:
    """Fetch models and check every byte.

    \b
    Example:
      suite models pull smollm2-135m minilm-l6-v2
    """
    registry = pulls.registry()
    pulls.pull([registry.model(name) for name in names], accept_licence, as_json)
