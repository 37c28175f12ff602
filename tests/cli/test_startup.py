"""Help, listing and completion load nothing heavy, no task, no network; each in a fresh interpreter."""

import json
import os
import subprocess
import sys

import pytest

from suite.plugins import catalogue

HEAVY = {
    "datasets",
    "huggingface_hub",
    "jinja2",
    "numpy",
    "scipy",
    "pydantic",
    "aiohttp",
    "matplotlib",
    "rich",
    "jsonschema",
    "torch",
    "vllm",
    "xllamacpp",
    "asyncio",
}
PROBE = """
import json, socket, sys

def refuse(*_, **__):
    raise AssertionError("the network was touched")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from suite.cli.main import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def modules_after(*arguments: str, **environment: str) -> tuple[int, set[str], str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules), done.stdout


def target_modules() -> set[str]:
    """The modules of everything that plugins announce, the suite's own entries too."""
    kinds = ("task", "provider", "importer", "command", "analysis", "judge", "metric", "user", "sandbox")
    return {entry.target.partition(":")[0] for kind in kinds for entry, _ in catalogue().entries(kind)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--help",), "Commands of plugins"),
        (("--version",), "suite 0."),
        (("tasks", "list"), "prefeval/generation"),
        (("tasks", "list", "--json"), '"prefeval/classification"'),
        (("plugin", "list"), "suite-prefeval"),
    ],
    ids=" ".join,
)
def test_listing_loads_nothing_heavy(arguments: tuple[str, ...], said: str) -> None:
    code, modules, out = modules_after(*arguments)
    assert code == 0
    assert said in out
    assert modules & HEAVY == set()
    assert modules & target_modules() == set()


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("suite ta", "plain,tasks"),
        ("suite verico", "plain,vericode"),
        ("suite tasks sh", "plain,show"),
        ("suite tasks show prefeval/c", "plain,prefeval/classification"),
        ("suite tasks show --js", "plain,--json"),
    ],
)
def test_completion_loads_no_target(words: str, completed: str) -> None:
    count = len(words.split()) - 1
    _, modules, out = modules_after(_SUITE_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(count))
    assert out.split() == [completed]
    assert modules & HEAVY == set()
    assert modules & target_modules() == set()


def test_the_completion_script_is_click_s_own() -> None:
    code, _, out = modules_after(_SUITE_COMPLETE="bash_source")
    assert code == 0
    assert "_SUITE_COMPLETE=bash_complete" in out
