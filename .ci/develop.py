"""Install the suite and plugins of this tree into the interpreter that runs this, editable.

Usage: python .ci/develop.py [--extras embedded,embedder] [--plugins suite-prefeval …] [--environment NAME].
Does nothing where it was done already and no pyproject.toml has changed since. Prints what is fetched as it
is fetched, and how long each step took. A plugin whose pyproject.toml has `[tool.suite] environment = "NAME"`
needs what the others do without: it is installed by its own name, or by that of its environment.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BACKEND = ["hatchling", "editables"]  # so that no environment is made to build each package
FETCHED = re.compile(
    r"\s*(?:Downloading|Using cached) (?:\S*/)?([^/\s-]+)-([^-\s]+)-\S+\.whl \((\d\S* [kM]B)\)"
)
CHOSEN = re.compile(r"\s*Installing collected packages: (.+)")


def main() -> int:
    """Install what is missing; pip's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extras", default="", help="extras of the suite, with commas")
    parser.add_argument("--constraints", default="", help="constraints file; default: pip's own settings")
    parser.add_argument("--plugins", nargs="+", default=["*"], help="names of plugins; default: all")
    parser.add_argument("--environment", default="", help="of the plugins, where no names are given")
    given = parser.parse_args()
    plugins = [one for name in given.plugins for one in projects(name, given.environment)]
    digest = hashlib.sha256(repr((str(ROOT), given.extras, given.constraints)).encode())
    for project in [ROOT / "pyproject.toml", *plugins]:
        digest.update(project.read_bytes())
    marker = Path(sys.prefix) / "installed-from.sha256"
    if marker.is_file() and marker.read_text() == digest.hexdigest():
        return 0
    fixed = ["-c", given.constraints] if given.constraints else []
    suite = f"{ROOT}[{given.extras}]" if given.extras else str(ROOT)
    editable = [word for place in (suite, *(str(one.parent) for one in plugins)) for word in ("-e", place)]
    extras = f" with {given.extras.replace(',', ', ')}" if given.extras else ""
    done = step("the build backend", [*fixed, *BACKEND]) or step(
        f"the suite{extras} and {len(plugins)} plugins, editable",
        ["--no-build-isolation", *fixed, *editable],
    )
    if not done:
        marker.write_text(digest.hexdigest())
    return done


def environment_of(project: Path) -> str:
    """The environment in which a plugin is tested, "" if in the one of all."""
    table: dict[str, str] = tomllib.loads(project.read_text("utf-8")).get("tool", {}).get("suite", {})
    return table.get("environment", "")


def projects(name: str, environment: str = "") -> list[Path]:
    """The projects of plugins of that name, or of all of an environment (*). Exits where there is none."""
    found = sorted(ROOT.glob(f"plugins/{name}/pyproject.toml"))
    if name == "*":
        found = [one for one in found if environment_of(one) == environment]
    if not found:
        sys.exit(f"there is no plugin plugins/{name}")
    return found


def step(what: str, arguments: list[str]) -> int:
    """Run `pip install` and say what it does; pip's exit code. All that pip says is shown if it fails."""
    print(f"installing {what}", flush=True)
    began, said = time.monotonic(), []
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as pip:
        for line in pip.stdout or ():
            said.append(line)
            if told := shown(line):
                print(f"  {told}", flush=True)
    if pip.returncode:
        print("".join(said), file=sys.stderr, end="")
    else:
        print(f"  done after {time.monotonic() - began:.0f} s", flush=True)
    return pip.returncode


def shown(line: str) -> str:
    """What a line of pip's means to a reader, or "". Files under a megabyte are passed over."""
    if found := FETCHED.match(line):
        name, version, size = found.groups()
        return f"{name} {version} ({size})" if size.endswith("MB") else ""
    if found := CHOSEN.match(line):
        return f"putting {found[1].count(',') + 1} packages in place"
    return ""


if __name__ == "__main__":
    sys.exit(main())
