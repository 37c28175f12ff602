"""A bundle folder that was changed by hand, listed again: what a careful forger does last."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from suite.board.bundle.bounds import SUBMISSION
from suite.board.pack.bundle_files import listing
from suite.chat import canonical_json
from suite.data import strict_syntax
from suite.files import write_whole


def seal(folder: Path) -> str:
    """List what stands in a bundle folder in its submission.json, rewrite that, return the bundle's id.

    Raises BundleError if a file may not stand there.
    """
    path = folder / SUBMISSION
    submission: Any = strict_syntax.read_exact(path.read_bytes())
    submission["files"] = msgspec.to_builtins(listing(folder))
    body = canonical_json(submission) + b"\n"
    write_whole(path, [body])
    return sha256(body).hexdigest()
