"""The environment's settings, with the published defaults (paper, section 3, and the released code)."""

from dataclasses import dataclass
from typing import Literal

import suite

Mode = Literal["single", "multi"]
Compat = Literal["none", "released-async"]


@dataclass(frozen=True, slots=True)
class Rules:
    """How an episode is played.

    mode: "single" takes one answer per aspect, "multi" any number. max_steps: turns before truncation.
    outage_every: every nth search fails on purpose (0: never). proactive_after: the nth utterance in a row
    that asks for nothing makes the user volunteer a preference (0: never).
    wrong, noise: how many distractors of each kind an aspect keeps.
    compat: "released-async" plays as the released asynchronous code does: a volunteered preference is lost
    but counted, release comes one utterance later, several ids in one answer are all taken, and an episode
    in single mode goes on after every aspect is answered.
    """

    mode: Mode = "single"
    max_steps: int = 20
    outage_every: int = 5
    proactive_after: int = 3
    wrong: int = 10
    noise: int = 5
    compat: Compat = "none"
    search_reward: float = 0.2
    preference_reward: float = 0.2
    best_reward: float = 1.0
    correct_reward: float = 0.8
    wrong_penalty: float = 0.0
    reward_scale: float = 1.0
    step_penalty: float = 0.0
    normalize_rewards: bool = False

    def __post_init__(self) -> None:
        for name in ("max_steps",):
            if getattr(self, name) < 1:
                raise suite.ConfigError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("outage_every", "proactive_after", "wrong", "noise"):
            if getattr(self, name) < 0:
                raise suite.ConfigError(f"{name} must not be negative, it is {getattr(self, name)}")

    @property
    def released(self) -> bool:
        """Whether the released asynchronous code's quirks are wanted."""
        return self.compat == "released-async"
