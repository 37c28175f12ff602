"""Verification of a submission: the ladder climbed, its report, and the units that a ranking pairs."""

from suite.board.verify.again import Rerun
from suite.board.verify.report import Verification, verify

__all__ = ["Rerun", "Verification", "verify"]
