"""Scripts for schedulers: a run in shards, then merged, on Slurm or Kubernetes; neither need be here.

What a script says is in the templates beside this file, what may be told of it in `cluster_options.toml`.
Templates put every value through a filter (`shell`, `yaml`), so that it is read as nothing but a value.
"""

import hashlib
import math
import re
import shlex
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

import msgspec
import yaml

from suite.errors import ConfigError
from suite.run.executor import Executor, Job


class ScriptOption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An option as `cluster_options.toml` describes it."""

    help: str
    default: str = ""
    form: str = r"[^\x00-\x1f\x7f]*"
    several: bool = False
    needed: bool = False


class ClusterScript(Executor):
    """A template with options, filled for a job."""

    template: ClassVar[str]
    table: ClassVar[dict[str, ScriptOption]]

    def __init_subclass__(cls) -> None:
        tables = tomllib.loads((files("suite.run") / "cluster_options.toml").read_text("utf-8"))
        cls.table = msgspec.convert(tables[cls.template.partition(".")[0]], dict[str, ScriptOption])
        cls.options = {name: one.help for name, one in cls.table.items()}
        cls.repeatable = frozenset(name for name, one in cls.table.items() if one.several)

    def script(self, job: Job) -> str:
        """The script. Raises ConfigError for an option that is bad or lacking."""
        from jinja2 import Environment, StrictUndefined

        option = {key.replace("-", "_"): self._value(key, one) for key, one in self.table.items()}
        name = f"suite {' '.join(job.words[:1])} {job.folder.absolute().name}".lower()
        name = re.sub(r"[^a-z0-9]+", "-", name)[:39].strip("-")
        digest = hashlib.sha256("\0".join(job.words).encode(errors="replace")).hexdigest()[:8]
        made = Environment(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
        )
        made.filters |= {"shell": shlex.join, "yaml": _yaml, "split": shlex.split}
        template = made.from_string((files("suite.run") / self.template).read_text("utf-8"))
        here = {"python": [sys.executable, "-P", "-m", "suite"], "here": str(Path.cwd())}
        try:
            return template.render(option=option, job=job, name=f"{name}-{digest}", digest=digest, **here)
        except ValueError as error:  # of shlex
            raise ConfigError(f"--on {self.name}: an option is no words for a shell: {error}") from None

    def _value(self, key: str, option: ScriptOption) -> str | list[str]:
        text = self.given.get(key, option.default)
        if option.needed and not text:
            raise ConfigError(f"--on {self.name} needs --on-option {key}=…", fix=f"{key}: {option.help}")
        lines = text.split("\n") if option.several else [text]
        if text and not all(re.fullmatch(option.form, one) for one in lines):
            raise ConfigError(f"--on-option {key}={text!r} does not fit", fix=f"{key}: {option.help}")
        return [one for one in lines if one] if option.several else text


class SlurmScript(ClusterScript):
    """`--on slurm`: bash that submits itself as an array of shards, and as a job that merges after it."""

    template = "slurm.sh.j2"


class KubernetesManifest(ClusterScript):
    """`--on kubernetes`: YAML of an Indexed Job, each index a shard, and of a Job that merges."""

    template = "kubernetes.yaml.j2"


def _yaml(value: str | list[str]) -> str:
    found: str = yaml.safe_dump(value, default_style='"', default_flow_style=True, width=math.inf)
    return found.strip()
