"""What announcing costs: every `suite` command imports the module that announces a plugin."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points

from suite.plugins import GROUP
from suite.testing.bench import Bench
from suite.testing.subject import Skip

SECONDS = 120.0
# What takes from a tenth of a second to many to import, and is found beside a benchmark.
HEAVY = frozenset(
    (
        "datasets",
        "jax",
        "keras",
        "litellm",
        "matplotlib",
        "nltk",
        "numpy",
        "onnxruntime",
        "openai",
        "pandas",
        "polars",
        "pyarrow",
        "ray",
        "scipy",
        "sentence_transformers",
        "sklearn",
        "spacy",
        "tensorflow",
        "tiktoken",
        "tokenizers",
        "torch",
        "transformers",
        "vllm",
        "xllamacpp",
    )
)
_CODE = """
import sys
import suite
before = set(sys.modules)
__import__(sys.argv[1])
print("\\n".join(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def light(bench: Bench) -> Iterator[str]:
    """The module that announces the plugin imports nothing heavy: every `suite` command reads it."""
    subject = bench.subject
    plugin = subject.plugins.find("task", subject.name)[1]
    modules = [point.module for point in entry_points(group=GROUP) if point.name == plugin.name]
    if not modules:
        raise Skip("the task is not announced by an installed plugin")
    for module in dict.fromkeys(modules):
        done = subprocess.run(
            [sys.executable, "-c", _CODE, module],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            yield f"importing {module} failed: {last}"
            continue
        for name in sorted(HEAVY & set(done.stdout.split())):
            yield f"importing {module} imports {name}: import it in the module that uses it"
