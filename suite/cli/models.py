"""suite models: the models that the suite can fetch by itself."""

import click

from suite.cli import pulls

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("models")
def models() -> None:
    """Models with weights in the registry: list and fetch them.

    \b
    Example:
      suite models pull smollm2-135m
    """


@models.command("list")
@as_json
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
@as_json
def show(model: str, as_json: bool) -> None:
    """Source, licence and files of a model.

    \b
    Example:
      suite models show smollm2-135m
    """
    pulls.show_one(pulls.registry().model(model), as_json)


@models.command()
@click.argument("names", nargs=-1, required=True, metavar="MODEL…")
@click.option("--accept-licence", is_flag=True, help="Accept the model's licence; remembered.")
@as_json
def pull(names: tuple[str, ...], accept_licence: bool, as_json: bool) -> None:
    """Fetch models and check every byte.

    \b
    Example:
      suite models pull smollm2-135m minilm-l6-v2
    """
    registry = pulls.registry()
    pulls.pull([registry.model(name) for name in names], accept_licence, as_json)
