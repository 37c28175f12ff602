"""The knobs of `userbench/travel`."""

from typing import Literal

from pydantic import Field, field_validator

import suite
from suite_userbench.rules_of_play import Compat, Mode, Rules
from suite_userbench.scenario import TAGS, Tag


class TravelParameters(suite.Parameters):
    """Parameters of `userbench/travel`. What an episode's rules are: `Rules`."""

    user: str = Field(
        "llm", description="who plays the user, NAME or NAME?setting=value: llm (the role user) or rules-v1"
    )
    mode: Mode = Field("single", description="one answer per aspect of the trip, or any number (multi)")
    tags: tuple[Tag, ...] = Field((), description="only these compositions of scenarios; empty: all")
    split: Literal["train", "test"] = Field("test", description="which split of the data is played")
    source: Literal["data", "synth"] = Field(
        "data", description="data: scenarios of the dataset; synth: generated ones"
    )
    synth_seed: int = Field(0, description="source=synth: seed of the generated scenarios")
    synth_count: int | None = Field(
        None,
        ge=1,
        description="source=synth: scenarios of each tag; none: as many as published",
    )
    calling: Literal["auto", "tools", "text"] = Field(
        "auto",
        description="how the candidate moves: tool calls, JSON as text, or what it can (auto)",
    )
    max_steps: int = Field(20, ge=1, description="turns before an episode is cut off")
    outage_every: int = Field(5, ge=0, description="every nth search fails on purpose; 0: none")
    proactive_after: int = Field(
        3,
        ge=0,
        description="turns in a row without a question until the user volunteers a wish; 0: never",
    )
    wrong: int = Field(10, ge=0, description="distractors of the kind wrong that an aspect keeps")
    noise: int = Field(5, ge=0, description="distractors of the kind noise that an aspect keeps")
    compat: Compat = Field("none", description="released-async: with the quirks of the released code")
    temperature: float = Field(0.0, ge=0, description="sampling temperature; above 0 for repeated trials")
    max_tokens: int = Field(2048, ge=1, description="most new tokens of a turn")

    @field_validator("tags")
    @classmethod
    def _order(cls, tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
        return tuple(tag for tag in TAGS if tag in tags)

    @property
    def chosen_tags(self) -> tuple[Tag, ...]:
        """The tags to play, in the published order."""
        return self.tags or TAGS

    @property
    def rules(self) -> Rules:
        """The environment's settings."""
        return Rules(
            mode=self.mode,
            max_steps=self.max_steps,
            outage_every=self.outage_every,
            proactive_after=self.proactive_after,
            wrong=self.wrong,
            noise=self.noise,
            compat=self.compat,
        )
