"""suite submit sign: vouch for a bundle with an SSH key."""

from pathlib import Path

import click


@click.command("sign")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="An SSH private key, or the public key of one in the agent.",
)
@click.option("--force", is_flag=True, help="Replace a signature that stands there.")
def sign(bundle: Path, key: Path, force: bool) -> None:
    """Sign BUNDLE with an SSH key: who vouches for it, not that it is true.

    The signature goes into the bundle, beside submission.json; the bundle's id stays as it is. A board that
    lists the key among its signers shows the entry as signed.

    \b
    Example:
      suite submit sign my-model.suite.zip --key ~/.ssh/id_ed25519
    """
    from suite.board.packing import sign_bundle

    found = sign_bundle(bundle, key, replace=force)
    click.echo(f"signed {bundle.name} with {found.algorithm} key {found.key}")
    click.echo("a board knows you by the line `IDENTITY KEY` in its file of signers:")
    click.echo(f"  you@example.org {_public(key)}")


def _public(key: Path) -> str:
    public = key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub")
    try:
        kind, body = public.read_text(encoding="utf-8").split()[:2]
    except (OSError, ValueError):
        return f"$(ssh-keygen -y -f {key})"
    return f"{kind} {body}"
