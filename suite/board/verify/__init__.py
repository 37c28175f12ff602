"""The verification of a submission. In: a bundle, and the board that it is for. Out: findings of every rung,
the verdict, the numbers computed again, and the units that a ranking pairs.
"""

from suite.board.verify.ladder import time_limit, verify
from suite.board.verify.reproduction import Rerun
from suite.board.verify.verification import VerifiedBundle

__all__ = ["Rerun", "VerifiedBundle", "time_limit", "verify"]
