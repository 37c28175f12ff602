"""What engines need beside the base install: the extras with their install lines, and a GPU.

Looking imports nothing and asks nobody: whether a module can be found, whether a device file is there. So
what is missing is said in a moment, before a network is touched or data is pulled.
"""

import importlib.util
import os
import platform
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from suite.errors import EngineError


class Extra(NamedTuple):
    """An extra. modules: what it brings. cpu: the command without a GPU, "" where one build serves all."""

    install: str
    modules: list[str]
    cpu: str = ""

    def missing(self) -> list[str]:
        known = importlib.util.find_spec
        return [one for one in self.modules if one not in sys.modules and known(one) is None]

    def how(self) -> str:
        """How to get it, for each kind of machine, on one line."""
        return f"with CUDA: {self.install}; for the CPU: {self.cpu}" if self.cpu else self.install


_TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
EXTRAS = {
    name: Extra(f"pip install 'suite-eval[{name}]'", **about) for name, about in _TABLE["extras"].items()
}


def need(extra: str) -> None:
    """Raises EngineError for a module of an extra that is not there."""
    found = EXTRAS[extra]
    if missing := found.missing():
        are = "is" if len(missing) == 1 else "are"
        raise EngineError(f"{' and '.join(missing)} {are} not installed", fix=found.how())


def gpu_in_sight(devices: Path = Path("/dev")) -> bool:
    """Whether this machine shows a GPU or another accelerator. Only Linux tells; elsewhere: yes."""
    if platform.system() != "Linux":
        return True
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return False  # hidden on purpose
    return any(next(devices.glob(pattern), None) for pattern in _TABLE["devices"])


def need_gpu(what: str, otherwise: str) -> None:
    """Raises EngineError where there is no GPU. what: who needs it. otherwise: how to do without."""
    if not gpu_in_sight():
        raise EngineError(f"{what} needs a GPU, and this machine shows none", fix=otherwise)
