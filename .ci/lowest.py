"""Write a constraints file that holds direct dependencies at the lowest version that is allowed.

Usage: python .ci/lowest.py FILE. Reads `name>=version` of the suite and its plugins; where several ask, the
highest of the lowest. What they depend on in turn is left to pip. The test tools go into test.txt beside
the file, unconstrained.
"""

import re
import sys
import tomllib
from pathlib import Path

import develop

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("embedded", "embedder")
_BOUND = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*>=\s*([0-9.]+)")


def main() -> None:
    """Write both files."""
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    projects = [ROOT / "pyproject.toml", *develop.projects("*")]
    lowest: dict[str, str] = {}
    for path in projects:
        project = tomllib.loads(path.read_text())["project"]
        extras = project.get("optional-dependencies", {})
        for line in [*project["dependencies"], *(one for name in EXTRAS for one in extras.get(name, ()))]:
            if (match := _BOUND.match(line)) and not match[1].startswith(("suite-", "pip")):
                lowest[match[1]] = max(lowest.get(match[1], "0"), match[2], key=_ordered)
    target.write_text("".join(f"{name}=={version}\n" for name, version in sorted(lowest.items())))
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    tools = [one for name in ("build", "test") for one in groups[name] if isinstance(one, str)]
    target.with_name("test.txt").write_text("\n".join(tools) + "\n")


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


if __name__ == "__main__":
    main()
