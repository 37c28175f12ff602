"""Runs of a small task for gates: as those of comparisons, with names that tell one night from another."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from suite.plugins import Catalogue
from tests.comparisons.conftest import everything, plugins, write_run

__all__ = ["plugins", "write_run"]


@pytest.fixture
def gated(
    write_run: Callable[..., Path], plugins: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """A factory of runs of one model in which some of 0…n-1 samples are not kept."""
    monkeypatch.setattr("suite.gates.verdicts.catalogue", lambda: plugins)

    def make(
        name: str, lost: Sequence[int] = (), n: int = 400, model: str = "scripted/one", **more: Any
    ) -> str:
        def score(index: int, trial: int) -> Mapping[str, Any]:
            return everything(index) | {"kept": index not in lost, "cost": float(index in lost)}

        roles = {"candidate": [{"spec": model}]}
        return str(write_run(name, score, n=n, **({"roles": roles} | more)))

    return make
