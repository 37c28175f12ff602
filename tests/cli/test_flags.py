"""Flags that several commands share, as they read what is given."""

import click
import pytest

from suite.cli.flags import NumberRange


@click.command()
@click.option("--level", type=NumberRange(0.5, 0.999), default=0.95)
def shown(level: float) -> None:
    """Show what was given."""
    click.echo(level)


@pytest.mark.parametrize("given", ["--level=nan", "--level=1", "--level=inf"])
def test_a_number_outside_of_its_bounds_is_refused(given: str) -> None:
    with pytest.raises(click.BadParameter, match="not in the range"):
        shown.main([given], standalone_mode=False)


def test_numbers_within_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    shown.main(["--level", "0.9"], standalone_mode=False)
    assert capsys.readouterr().out == "0.9\n"
