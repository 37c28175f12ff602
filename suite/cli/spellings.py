"""Old spellings of the command line: each works for one version more, and a note on stderr names the new one.

One table of flags, one of arguments that became flags. The new spelling takes the place of the old one before
a line is read, so that no command knows an old one and no help shows it. All of it goes with 0.3.0.
"""

import os
from collections.abc import Mapping, Sequence

import click

# command -> old flag -> new one
FLAGS: Mapping[str, Mapping[str, str]] = {
    "eval": {"--out": "--output"},
    "score": {"--out": "--output"},
    "judge audit": {"--out": "--output"},
    "compare": {"--baseline": "--against"},
    "report show": {"--md": "--markdown=-"},
    "report export": {"-o": "-O", "--format": "--to"},
    "runs import": {"-o": "-O"},
    "data import": {"--from": "--dir"},
    "plugin new": {"--dir": "--output"},
    "submit pack": {"-o": "-O", "--url": "--model-url"},
    "submit place": {"--url": "--bundle-url"},
    "submit verify": {"--json": "--output"},
    "board accept": {"--url": "--bundle-url", "--new": "--all"},
    "board build": {"-o": "-O", "--url": "--site-url"},
    "board fetch": {"-o": "-O"},
    "userbench generate": {"--out": "--output", "-o": "-O"},
    "userbench export": {"--out": "--output", "-o": "-O"},
}
# command -> the flag that took the place of its only argument
ARGUMENTS: Mapping[str, str] = {
    "board init": "--repo",
    "board commands": "--board",
    "board check": "--repo",
    "board check-pr": "--repo",
    "board build": "--repo",
}


def modern(line: Sequence[str]) -> list[str]:
    """The command line in the new spelling."""
    for length in (1, 2):
        way, rest = " ".join(line[:length]), list(line[length:])
        if way in FLAGS:
            rest = [*_flags(way, rest), *_from_environment(way, rest)]
        if way in ARGUMENTS:
            rest = _argument(way, rest)
        line = [*line[:length], *rest]
    return list(line)


def current(way: Sequence[str], key: str) -> str:
    """The key of a settings file in its new spelling."""
    old, new = f"--{key}", FLAGS.get(" ".join(way), {}).get(f"--{key}")
    if new is None or old == "--json":
        return key
    note(" ".join(way), old, new)
    return new.strip("-").partition("=")[0]


def note(way: str, old: str, new: str) -> None:
    """Say that a spelling has changed."""
    click.echo(f"note: `suite {way}`: {old} is now {new}; the old spelling ends with 0.3.0", err=True)


def _from_environment(way: str, words: Sequence[str]) -> list[str]:
    """--output, where only the environment gives it, and by its old name: SUITE_EVAL_OUT."""
    name = f"SUITE_{way.upper().replace(' ', '_')}_OUT"
    if "--out" not in FLAGS[way] or name not in os.environ or f"{name}PUT" in os.environ:
        return []
    if any(word.startswith(("-O", "--output=", "--out=")) or word in ("--output", "--out") for word in words):
        return []
    note(way, name, f"{name}PUT")
    return ["--output", os.environ[name]]


def _flags(way: str, words: list[str]) -> list[str]:
    found: list[str] = []
    for at, word in enumerate(words):
        if word == "--":
            return [*found, *words[at:]]
        name, equals, value = word.partition("=")
        short = not word.startswith("--") and word.startswith("-")
        old = word[:2] if short else name
        new = FLAGS[way].get(old)
        follows = value if equals else next(iter(words[at + 1 :]), "")
        if new is None or (old == "--json" and not follows.endswith(".json")):  # a flag today, too
            found.append(word)
            continue
        note(way, old, new.replace("=", " "))
        found.append(new + word[len(old) :])
    return found


def _argument(way: str, words: list[str]) -> list[str]:
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        valued = before.startswith("-") and "=" not in before and before not in ("--json", "--no-verify")
        if not word.startswith("-") and not valued:
            note(way, "its argument", f"{ARGUMENTS[way]} {word}")
            return [*words[:at], ARGUMENTS[way], *words[at:]]
    return words
