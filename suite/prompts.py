"""Prompt templates: named, strict, filled in a single pass, hashed.

`Prompts(wish="The user thinks in {system} units.")` gives `prompts.wish(system="metric")`. A value
that contains braces is never expanded again, a missing or unknown name is an error, and the digest
of all templates goes into the manifest. Double braces stand for one brace.
"""

import hashlib
import re
from collections.abc import Mapping

from suite.errors import ConfigError

_TOKEN = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|[{}]")


class Template:
    """One template; calling it with its fields returns the text."""

    __slots__ = ("fields", "name", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        for match in _TOKEN.finditer(text):
            if match[0] in ("{", "}"):
                raise ConfigError.of("prompts.brace", name=name, at=match.start())
        self.fields = tuple(dict.fromkeys(filter(None, _TOKEN.findall(text))))

    def __call__(self, **values: object) -> str:
        if set(values) != set(self.fields):
            missing = sorted(set(self.fields) - set(values))
            extra = sorted(set(values) - set(self.fields))
            raise ConfigError(f"prompt {self.name!r}: missing {missing}, unknown {extra}")
        return _TOKEN.sub(lambda found: str(values[found[1]]) if found[1] else found[0][0], self.text)


class Prompts:
    """The named templates of a task, with the set's name ("own" or "official") and digest."""

    def __init__(self, _set: str = "own", /, **templates: str) -> None:
        self.set = _set
        self._templates = {name: Template(name, text) for name, text in templates.items()}

    def __getattr__(self, name: str) -> Template:
        templates: Mapping[str, Template] = self.__dict__.get("_templates", {})
        if name in templates:
            return templates[name]
        raise AttributeError(f"no prompt named {name!r}; there are {sorted(templates)}")

    def names(self) -> tuple[str, ...]:
        """Names of all templates, sorted."""
        return tuple(sorted(self._templates))

    def replace(self, _set: str, /, **templates: str) -> "Prompts":
        """The same set with some templates replaced, under another set name."""
        texts = {name: template.text for name, template in self._templates.items()}
        return Prompts(_set, **{**texts, **templates})

    def sha256(self) -> str:
        """Digest over names and texts, in name order: 64 hex digits."""
        digest = hashlib.sha256()
        for name in self.names():
            digest.update(f"{name}\x1f{self._templates[name].text}\x1e".encode())
        return digest.hexdigest()
