"""suite doctor: what this machine can do, found out by looking; changes nothing."""

import os
import platform
import shutil
import subprocess

import click

import suite
from suite.cli.flags import json_flag, say_json, say_text
from suite.cli.plugin import facts as plugin_facts
from suite.cli.plugin import problems
from suite.plugins import catalogue

ENDPOINTS = (
    "OPENAI_API_KEY", "OPENAI_BASE_URL", "HF_TOKEN", "HF_ENDPOINT", "SUITE_CACHE", "SUITE_SANDBOX",
    "SUITE_VLLM_PYTHON",
)  # fmt: skip


@click.command("doctor")
@json_flag
@click.option(
    "--python", default="", metavar="PATH", help="Try the sandbox with this Python, as -P interpreter=PATH."
)
@click.pass_context
def doctor(context: click.Context, as_json: bool, python: str) -> None:
    """What this machine can do, and how to get what it lacks: extras, GPUs, sandbox, cache, plugins."""
    found = examine(python)
    if as_json:
        say_json(found)
    else:
        say_text("doctor", found)
    if any(one.error or problems(one) for one in catalogue().plugins):
        context.exit(1)


def examine(python: str = "") -> dict[str, object]:
    """All that is found, as JSON. python: the interpreter to try in the sandbox, "" for this one."""
    from suite.models.extras import EXTRAS
    from suite.run.hardware import memory_gib
    from suite.sandbox import probe

    return {
        "suite": suite.__version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": memory_gib(),
        "extras": {name: not extra.missing() for name, extra in EXTRAS.items()},
        "gpus": gpus(),
        "to_get": to_get(),
        "sandbox": probe(python=python),  # tries one: half a second
        "cache": cache(),
        "environment": {name: bool(os.environ.get(name)) for name in ENDPOINTS},
        "plugins": [
            {key: one[key] for key in ("name", "distribution", "version", "error", "problems")}
            for one in (plugin_facts(plugin) for plugin in catalogue().plugins)
        ],
    }


def to_get() -> dict[str, str]:
    """What is not here -> how to get it, or to do without."""
    from suite.models.extras import EXTRAS, gpu_in_sight

    found = {name: extra.how() for name, extra in EXTRAS.items() if extra.missing()}
    if not gpu_in_sight():
        elsewhere = "-o url=… reaches a vLLM server on another machine"
        found["gpu"] = f"none in sight; vLLM has a build for the CPU: {EXTRAS['vllm'].cpu}; {elsewhere}"
    return found


def gpus() -> list[dict[str, str]]:
    """Name, memory and driver of each NVIDIA GPU, as nvidia-smi says; [] where there is none."""
    from suite.models.devices import nvidia

    try:
        rows = nvidia("name", "memory.total", "driver_version")
    except (OSError, subprocess.SubprocessError) as error:
        return [{"error": f"nvidia-smi: {type(error).__name__}"}]
    return [dict(zip(("name", "memory", "driver"), row, strict=False)) for row in rows]


def cache() -> dict[str, object]:
    """The cache folder, and how much room is on its disk."""
    from suite.data.cache import cache_folder

    root = cache_folder()
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    return {
        "folder": str(root),
        "exists": root.is_dir(),
        "writable": os.access(there, os.W_OK),
        "free_gib": round(shutil.disk_usage(there).free / 2**30, 1),
    }
