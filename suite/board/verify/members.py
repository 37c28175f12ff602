"""Who is asked in a run under verification, by the records of its manifests."""

from collections.abc import Mapping
from typing import Any

from suite.board.verify.subject import VerifiedRun

UNSERVED = frozenset({"scripted", "replay", "lexical"})  # no model takes time to answer


def members(subject: VerifiedRun) -> dict[str, Mapping[str, Any]]:
    """Member -> its record in the manifests."""
    found: dict[str, Mapping[str, Any]] = {}
    for manifest in (subject.manifest, subject.scoring_manifest):
        for records in manifest.get("roles", {}).values():
            for one in records:
                found.setdefault(one["member"], one)
    return found


def provider_of(record: Mapping[str, Any]) -> str:
    """The provider in a member's spec."""
    return str(record["spec"]).partition("/")[0]
