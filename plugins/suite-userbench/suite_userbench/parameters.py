"""The knobs of `userbench/travel`."""

from typing import Literal

from pydantic import Field, field_validator

import suite
from suite_userbench.rules_of_play import Compat, Mode, Rules
from suite_userbench.scenario import TAGS, Tag


class TravelParameters(suite.Parameters):
    """Parameters of `userbench/travel`.

    user: who plays the user, NAME or NAME?setting=value; part of what a score means.
    mode: one answer per aspect, or any number. tags: compositions, [] means all. split: train or test.
    source: "data" reads the dataset (published, mini or given); "synth" generates scenarios, `synth_count`
    of each tag (None: as many as the published split has) from `synth_seed`.
    calling: how the candidate moves; "auto" takes tools if it has them, else JSON, guided where it can be.
    max_steps, outage_every, proactive_after, wrong, noise, compat: see `Rules`.
    temperature: above 0 for repeated trials. max_tokens: new tokens a turn.
    """

    user: str = "llm"
    mode: Mode = "single"
    tags: tuple[Tag, ...] = ()
    split: Literal["train", "test"] = "test"
    source: Literal["data", "synth"] = "data"
    synth_seed: int = 0
    synth_count: int | None = Field(None, ge=1)
    calling: Literal["auto", "tools", "text"] = "auto"
    max_steps: int = Field(20, ge=1)
    outage_every: int = Field(5, ge=0)
    proactive_after: int = Field(3, ge=0)
    wrong: int = Field(10, ge=0)
    noise: int = Field(5, ge=0)
    compat: Compat = "none"
    temperature: float = Field(0.0, ge=0)
    max_tokens: int = Field(2048, ge=1)

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
