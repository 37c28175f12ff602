"""What tokens cost, by the board's own price table: never what a submitter says. Unknown stays unknown."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from suite.data import strict
from suite.errors import ConfigError


class Price(BaseModel):
    """Price of a model from a day on, per million tokens. model: the identity's name, exactly."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    model: str
    since: date
    prompt: float = Field(ge=0, allow_inf_nan=False)
    completion: float = Field(ge=0, allow_inf_nan=False)
    source: Annotated[str, StringConstraints(pattern=r"^https://[^\s\"<>]+$")]


class Prices(BaseModel):
    """prices.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["suite-prices/1"] = "suite-prices/1"
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "USD"
    prices: tuple[Price, ...] = ()

    def cost(self, model: str, day: date | None, prompt: int | None, completion: int | None) -> float | None:
        """What these tokens cost on that day; None if anything is unknown."""
        if day is None or prompt is None or completion is None:
            return None
        known: Sequence[Price] = [one for one in self.prices if one.model == model and one.since <= day]
        if not known:
            return None
        price = max(known, key=lambda one: one.since)
        return (prompt * price.prompt + completion * price.completion) / 1e6


def read_prices(path: Path | None) -> Prices:
    """The price table of a board; an empty one if there is no file. Raises ConfigError."""
    if path is None or not path.is_file():
        return Prices()
    try:
        return strict.validated(Prices, strict.read_yaml_file(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{path.name}: {field}: {first['msg']}", where=str(path)) from error
    except ValueError as error:
        raise ConfigError(f"{path.name} can't be read: {error}", where=str(path)) from error
