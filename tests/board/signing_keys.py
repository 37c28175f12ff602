"""SSH keys for tests, made by ssh-keygen, and files that say whose they are."""

import subprocess
from pathlib import Path


def make_keys(folder: Path) -> Path:
    """Two key pairs, `ours` and `theirs`; returns the folder."""
    for name in ("ours", "theirs"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    return folder


def signers(path: Path, keys: Path, *lines: str) -> Path:
    """Write a file of signers; {ours} and {theirs} become public keys."""
    public = {name: (keys / f"{name}.pub").read_text().strip() for name in ("ours", "theirs")}
    path.write_text("".join(line.format(**public) + "\n" for line in lines))
    return path
