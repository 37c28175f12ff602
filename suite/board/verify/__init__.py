"""Verification of a submission: the ladder climbed, its report, and the units that a ranking pairs."""

from suite.board.verify.report import Verification, verify
from suite.board.verify.rerun import Rerun

__all__ = ["Rerun", "Verification", "verify"]
