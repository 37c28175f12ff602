"""Who vouches for a bundle: an SSH signature over its submission.json, made and checked by OpenSSH.

submission.json lists the SHA-256 of every other file, so a signature over it covers all of the bundle. It
lies beside it as `submission.json.sig` (an armoured SSHSIG, see ssh-keygen(1), option -Y) and is listed
nowhere: signing changes neither the bundle's id nor any other byte. Whose key it is says a file of signers,
in OpenSSH's format ALLOWED SIGNERS, kept by whoever asks. Nothing here reaches for a network.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from suite.errors import ConfigError
from suite.journal.shapes import matching

NAMESPACE = "suite-submission"
MOST_BYTES = 2**14  # of a signature; a certificate of the largest RSA keys fits
_SECONDS = 60
_GOOD = re.compile(r'Good "[^"]*" signature (?:for .* )?with (\S+) key (SHA256:[A-Za-z0-9+/]{43})')


class BadSignature(Exception):
    """A signature that is none, or not one of these bytes."""


class Signature(msgspec.Struct, frozen=True):
    """A signature that fits its bytes. key: fingerprint, `SHA256:…`. algorithm: ED25519, RSA, …
    identities: whose key it is by the file of signers; empty if that does not know the key.
    """

    key: Annotated[str, matching("SHA256:[A-Za-z0-9+/]{43}")]
    algorithm: str
    identities: tuple[str, ...]


@dataclass(frozen=True)
class Signers:
    """Whose keys are whose: a file in OpenSSH's ALLOWED SIGNERS format, as of a moment (None: now), at which
    a key with `valid-after` or `valid-before` must be valid. Dates there are in UTC.
    """

    path: Path
    when: datetime | None = None

    def check(self) -> None:
        """Raises ConfigError if the file is not there."""
        if not self.path.is_file():
            raise ConfigError(f"there is no file of signers {self.path.name}", where=str(self.path))


def available() -> bool:
    """Whether ssh-keygen is here."""
    return shutil.which("ssh-keygen") is not None


def sign(message: bytes, key: Path) -> bytes:
    """Sign bytes with a private key file, or with the agent's key that a public key file names.

    OpenSSH asks for a passphrase on the terminal by itself. Raises ConfigError without ssh-keygen
    or for a key that cannot be used.
    """
    if not key.is_file():
        raise ConfigError.of("board.signatures.no-key", key=key)
    done = _run(["sign", "-n", NAMESPACE, "-f", str(key.absolute())], message, seconds=None)
    if done.returncode != 0 or not done.stdout.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        raise ConfigError.of("board.signatures.not-signed", key=key, said=_said(done))
    return done.stdout


def check(message: bytes, signature: bytes, signers: Signers | None = None) -> Signature:
    """Hold a signature against the bytes, and its key against the signers; no signers, or a key that is none
    of theirs, leave `identities` empty.

    Raises BadSignature; ConfigError without ssh-keygen or for a file of signers that is not there.
    """
    if len(signature) > MOST_BYTES:
        raise BadSignature(f"it is over {MOST_BYTES} bytes")
    with tempfile.TemporaryDirectory(prefix="suite-signature-") as folder:
        file = Path(folder) / "submission.json.sig"
        file.write_bytes(signature)
        done = _run(["check-novalidate", "-n", NAMESPACE, "-s", str(file)], message)
        good = _GOOD.search(done.stdout.decode(errors="replace"))
        if done.returncode != 0 or good is None:
            raise BadSignature(_said(done))
        if signers is None:
            return Signature(good[2], good[1], ())
        signers.check()
        listed = ["-f", str(signers.path.absolute()), "-s", str(file)]
        if signers.when is not None:
            listed.append(f"-Overify-time={signers.when.astimezone(UTC):%Y%m%d%H%M%S}")
        names = _run(["find-principals", *listed], b"").stdout.decode(errors="replace").splitlines()
        # find-principals knows nothing of namespaces; verify holds all that the signers' file says.
        known = tuple(
            name
            for name in dict.fromkeys(",".join(names).split(","))
            if name and _run(["verify", "-n", NAMESPACE, "-I", name, *listed], message).returncode == 0
        )
    return Signature(good[2], good[1], known)


def _run(
    arguments: Sequence[str], message: bytes, seconds: float | None = _SECONDS
) -> "subprocess.CompletedProcess[bytes]":
    program = shutil.which("ssh-keygen")
    if program is None:
        raise ConfigError.of("board.signatures.no-program")
    try:
        env = {**os.environ, "TZ": "UTC"}  # dates mean the same everywhere; before 9.1 none may end in Z
        command = [program, "-Y", *arguments]
        return subprocess.run(
            command, input=message, capture_output=True, timeout=seconds, check=False, env=env
        )
    except subprocess.TimeoutExpired as error:
        raise BadSignature(f"ssh-keygen took over {error.timeout:g} s") from error


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else f"ssh-keygen ended with {done.returncode}"
