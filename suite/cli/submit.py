"""suite submit: bundles of runs that a stranger can verify; each command has a file of its own."""

import click

from suite.cli.submit_pack import declare, pack
from suite.cli.submit_place import place
from suite.cli.submit_sign import sign
from suite.cli.submit_verify import verify


@click.group("submit")
def submit() -> None:
    """Submit runs to a board: pack them as a bundle, sign it, verify it, hand it in.

    \b
    Example:
      suite submit declare runs/mine > declare.yaml
      suite submit pack runs/mine --declare declare.yaml -o mine.suite.zip
      suite submit verify mine.suite.zip
      suite submit place mine.suite.zip --repo ../the-board
    """


submit.add_command(declare)
submit.add_command(pack)
submit.add_command(sign)
submit.add_command(verify)
submit.add_command(place)
