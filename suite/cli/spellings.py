"""Old spellings of the command line: each works for one version more, and a note on stderr names the new one.

The tables stand in `spellings.toml`: flags, arguments that became flags, and what variables and settings were
called where that was not the flag's name. The new spelling takes the place of the old one before a line is
read, so that no command knows an old one and no help shows it. All of it goes with 0.3.0.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from suite.errors import ConfigError

_TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
FLAGS: Mapping[str, Mapping[str, str]] = _TABLES["flags"]
ARGUMENTS: Mapping[str, str] = _TABLES["arguments"]
NAMES: Mapping[str, Mapping[str, str]] = _TABLES["names"]
# flags without a value, of `submit verify` and of the commands of ARGUMENTS
SWITCHES = frozenset(("--json", "--strict", "--quiet", "--no-verify", "--again", "--help", "-h"))
_YES, _NO = ("1", "true", "t", "yes", "y", "on"), ("0", "false", "f", "no", "n", "off")  # as click reads them


def modern(line: Sequence[str]) -> list[str]:
    """The command line in the new spelling. Raises ConfigError for one flag in both spellings."""
    for length in (1, 2):
        way, rest = " ".join(line[:length]), list(line[length:])
        if way in FLAGS:
            rest = _flags(way, rest)
        if way in FLAGS or way in NAMES:
            end = rest.index("--") if "--" in rest else len(rest)
            rest[end:end] = _from_environment(way, rest[:end])
        if way in ARGUMENTS:
            rest = _argument(way, rest)
        line = [*line[:length], *rest]
    return list(line)


def current(names: Sequence[str], key: str, value: object) -> tuple[str, object]:
    """A key of a settings file and its value in the new spelling."""
    way = " ".join(names)
    new = _names(way).get(key, f"--{key}")
    flag, fixed, constant = new.partition("=")
    switch = isinstance(value, bool)
    if flag.strip("-") == key and not (fixed and switch):
        return key, value
    if (key == "json" and switch) or (fixed and not switch):  # a flag today, too; no value that it had
        return key, value
    note(way, f"-{key}" if len(key) == 1 else f"--{key}", new.replace("=", " "))
    return flag.strip("-"), (constant if value else None) if fixed else value


def note(way: str, old: str, new: str) -> None:
    """Say that a spelling has changed."""
    click.echo(f"note: `suite {way}`: {old} is now {new}; the old spelling ends with 0.3.0", err=True)


def _names(way: str) -> dict[str, str]:
    """What variables and settings may call a flag of a command, and the flag today."""
    return {old.lstrip("-"): new for old, new in FLAGS.get(way, {}).items()} | dict(NAMES.get(way, {}))


def _variable(way: str, name: str) -> str:
    return f"SUITE_{way} {name.lstrip('-')}".upper().replace(" ", "_").replace("-", "_")


def _from_environment(way: str, words: Sequence[str]) -> list[str]:
    """The renamed flags that only the environment gives, by the new name or an old one: SUITE_EVAL_OUT."""
    names, found = _names(way), list[str]()
    today = {new.lstrip("-"): new for new in names.values() if "=" not in new}
    for name, new in [*today.items(), *names.items()]:
        flag, fixed, constant = new.partition("=")
        old, now = _variable(way, name), _variable(way, flag)
        value = os.environ.get(old, "")
        if not value or len(name) == 1 or _given(flag, [*words, *found]):
            continue
        yes, no = value.lower() in _YES, value.lower() in _NO
        switch = flag == "--all" or bool(fixed)
        if (switch and not yes) or (name == "json" and (yes or no)):
            continue
        if old != now or fixed:
            note(way, f"{old}={value}" if old == now else old, f"{now}={constant}" if fixed else now)
        for one in value.split() if flag == "--bundle-url" else [value]:
            found += [new] if switch else [flag, one]
    return found


def _given(flag: str, words: Sequence[str]) -> bool:
    short = ("-O",) if flag == "--output" else ()
    return any(word == flag or word.startswith((f"{flag}=", *short)) for word in words)


def _flags(way: str, words: list[str]) -> list[str]:
    found: list[str] = []
    places = _positionals(words)
    end = words.index("--") if "--" in words else len(words)
    for at, word in enumerate(words[:end]):
        name, equals, _ = word.partition("=")
        short = not word.startswith("--") and word.startswith("-")
        old = word[:2] if short else name
        new = FLAGS[way].get(old)
        # a flag today, too: with a value if a word follows that is not the only argument
        if new is None or (old == "--json" and not equals and not (at + 1 in places and len(places) > 1)):
            found.append(word)
            continue
        note(way, old, new.replace("=", " "))
        if _given(new.partition("=")[0], words[:end]):
            raise ConfigError(f"{old} and {new} are one flag", f"suite {way}", f"give {new} alone")
        found.append(new + word[len(old) :])
    return [*found, *words[end:]]


def _argument(way: str, words: list[str]) -> list[str]:
    for at in _positionals(words)[:1]:
        note(way, "its argument", f"{ARGUMENTS[way]} {words[at]}")
        behind = "--" in words[:at]
        rest = ["--", *words[at + 1 :]] if behind and words[at + 1 :] else words[at + 1 :]
        return [*words[: at - behind], ARGUMENTS[way], words[at], *rest]
    return words


def _positionals(words: Sequence[str]) -> list[int]:
    """Where the words stand that are neither flags nor their values."""
    found: list[int] = []
    value = False
    for at, word in enumerate(words):
        if value:
            value = False
        elif word == "--":
            return [*found, *range(at + 1, len(words))]
        elif word.startswith("-") and word != "-":
            alone = "=" in word or word in SWITCHES or (len(word) > 2 and not word.startswith("--"))
            value = not alone
        else:
            found.append(at)
    return found
