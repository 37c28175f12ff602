"""Shots: worked examples before a question, drawn from a train part by a seed of the cell.

A shot never shares its id, group, cluster or content with the sample that is asked, nor with another
shot. All samples of a cell get the same shots in the same order, so that engines keep their prefix; one
that clashes is left out, and the next one drawn stands at the end. More shots begin with the fewer. The
run's seed, the order of the train part and whatever runs beside change nothing. Not here: how a shot reads
(the task decides).
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, pairwise
from typing import Any, Generic, Literal, TypeVar

import msgspec
from pydantic import model_validator

from suite.chat import sha256_hex
from suite.errors import ConfigError, DataError
from suite.parameters import Parameters, added, payload_json
from suite.task import Sample

PayloadT = TypeVar("PayloadT")
MOST_SHOTS = 1000


class ShotParameters(Parameters):
    """Parameters of a task with shots. Where `shots` is 0, its cells are those of a task without them."""

    shots: int = added(0, ge=0, le=MOST_SHOTS)
    """worked examples before each question (few-shot); 0: none"""
    shots_seed: int = added(0, ge=0, description="which examples are drawn, and in which order")
    shots_per: Literal["cell", "group"] = added(
        "cell",
        description="cell: the same examples for all samples, so that engines keep their prefix; "
        "group: drawn anew for each group",
    )

    @model_validator(mode="before")
    @classmethod
    def _none(cls, values: Any) -> Any:  # whatever somebody gives
        if not isinstance(values, Mapping):
            return values
        shots = values.get("shots", cls.model_fields["shots"].default)
        how = {"shots_seed", "shots_per"} if str(shots) == "0" else set()
        return {name: value for name, value in values.items() if name not in how}


class Shots(Generic[PayloadT]):
    """The shots of a cell, drawn when its task is opened.

    train: samples of the train part, read only if there are shots. content: what of a sample must be no
    other's, a text or name each (compared without case and white space). name: of the train part, for people.
    Raises ConfigError for fewer different examples than shots + 1: one may be the sample that is asked.
    Raises DataError for an id that comes twice.
    """

    def __init__(
        self,
        train: Iterable[Sample[PayloadT]],
        parameters: ShotParameters,
        content: Callable[[Sample[PayloadT]], Iterable[str]],
        name: str = "train",
    ) -> None:
        self._wanted, self._name, self._content = parameters.shots, name, content
        self._seed, self._anew = parameters.shots_seed, parameters.shots_per == "group"
        self._pool = sorted(train, key=lambda one: one.id) if self._wanted else []
        if twice := [one.id for one, two in pairwise(self._pool) if one.id == two.id]:
            raise DataError(f"{name} gives the sample {twice[0]!r} twice", fix="give each an id of its own")
        self._keys = {one.id: self._keys_of(one) for one in self._pool}
        self._order = [*self._pool]
        self._random(Sample("", None)).shuffle(self._order)
        self._drawn = self._pick((), self._order, self._wanted + 1) if self._wanted else ()

    def of(self, sample: Sample[PayloadT]) -> tuple[Sample[PayloadT], ...]:
        """The shots that stand before a sample, the first one first; () where none are wanted."""
        if not self._wanted:
            return ()
        order = self._anew_for(sample) if self._anew else self._order
        return self._pick(self._keys_of(sample), order, self._wanted)

    def facts(self) -> dict[str, str]:
        """What `open` tells of them, for the manifest; {} where none are wanted. The hash is over the shots,
        in order, or over the train part where each group has its own.
        """
        if not self._wanted:
            return {}
        shown = self._pool if self._anew else self._drawn[:-1]
        each = [sha256_hex(one.id.encode() + b"\x1f" + payload_json(one.payload)) for one in shown]
        how = "drawn for each group" if self._anew else "the same for all samples they share nothing with"
        free, mark = sum(1 for _ in self._free((), self._order)), sha256_hex("".join(each).encode())[:16]
        few = "" if free == len(self._pool) else f" ({free} that share nothing with each other)"
        told = f"{self._wanted} of {len(self._pool)} in {self._name}{few}, {how}, seed {self._seed}"
        return {"shots": f"{told}, sha256 {mark}"}

    def _keys_of(self, sample: Sample[PayloadT]) -> frozenset[str]:
        texts = (" ".join(str(text).casefold().split()) for text in self._content(sample))
        names = {f"id {sample.id}", f"group {sample.group}", f"cluster {sample.cluster}"}
        return frozenset({*names, *(f"content {text}" for text in texts if text)})

    def _random(self, sample: Sample[Any]) -> random.Random:
        return msgspec.structs.replace(sample, seed=self._seed, trial=0).random("shots")

    def _anew_for(self, sample: Sample[PayloadT]) -> Iterator[Sample[PayloadT]]:
        """The train part in an order of the sample's group, as far as it is asked for."""
        order, chance = [*self._pool], self._random(sample)
        for place in range(len(order)):
            other = chance.randrange(place, len(order))
            order[place], order[other] = order[other], order[place]
            yield order[place]

    def _free(self, taken: Iterable[str], order: Iterable[Sample[PayloadT]]) -> Iterator[Sample[PayloadT]]:
        """Those that share nothing with `taken` and with each other."""
        taken = {*taken}
        for one in order:
            if taken.isdisjoint(keys := self._keys[one.id]):
                taken |= keys
                yield one

    def _pick(
        self, taken: Iterable[str], order: Iterable[Sample[PayloadT]], count: int
    ) -> tuple[Sample[PayloadT], ...]:
        """The first so many of them. Raises ConfigError."""
        if len(found := tuple(islice(self._free(taken, order), count))) == count:
            return found
        counts = {"shots": self._wanted, "all": len(self._pool), "found": len(found)}
        raise ConfigError.of("shots.few", name=self._name, **counts)
