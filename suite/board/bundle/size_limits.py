"""How much of a bundle is read before it is refused: absolute sizes are the guard."""

from dataclasses import dataclass

MIB = 1024**2


@dataclass(frozen=True)
class SizeLimits:
    """Sizes in bytes unless said otherwise; a board may lower `archive`.

    An honest journal of nested conversations shrinks a hundredfold and more, a bomb some 32,000-fold: so
    `ratio` alone would tell them apart badly.
    """

    archive: int = 200 * MIB
    members: int = 2000
    content: int = 2048 * MIB  # one member, decompressed
    total: int = 8192 * MIB  # all members, decompressed
    line: int = 16 * MIB
    depth: int = 64
    string: int = 8192  # one string of submission.json
    manifest: int = 4 * MIB  # one JSON document
    readme: int = 64 * 1024
    window: int = 2**27  # of a zstd frame
    name: int = 240
    ratio: int = 4000
    rebuilt: int = 64 * 1024 * MIB  # requests put together again from their blocks, over all calls
    request: int = 64 * MIB  # one of them
