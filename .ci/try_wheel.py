"""Try what was installed from wheels, from a folder where none of this tree can be seen.

The registry, the report's templates, bundled data and the schemas of exports have to be inside the wheels.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

RUN = "eval --task prefeval/classification --mini --limit 2 --model scripted/constant -o text=A --output run"

EXPORT = "report export run --to eee --relationship other --organization X --model-id ours/x -O eee"


def suite(folder: Path, *arguments: str) -> str:
    """What a command prints; ends the script with its message if it fails."""
    command = [sys.executable, "-I", "-m", "suite", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        sys.exit(f"suite {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    """Look where the package is, list, and take a run to its report."""
    import suite as package

    place = Path(package.__file__).resolve()
    if not place.is_relative_to(Path(sys.prefix).resolve()):
        sys.exit(f"the suite was imported from {place}, not from the wheel")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tasks = {row["name"] for row in json.loads(suite(folder, "tasks", "list", "--json"))}
        entries = {row["id"] for row in json.loads(suite(folder, "data", "list", "--json"))["entries"]}
        wanted = {"prefeval", "prefeval-mini", "reward-bench"}
        if "prefeval/generation" not in tasks or not wanted <= entries:
            sys.exit(f"tasks {sorted(tasks)}, datasets {sorted(entries)}")
        results = json.loads(suite(folder, *RUN.split(), "--json"))
        pages = list((folder / "run").glob("*.html"))
        if results["pending"] or not pages:
            sys.exit(f"pending {results['pending']}, pages {pages}")
        suite(folder, *EXPORT.split())
    print(f"{len(tasks)} tasks and {len(entries)} datasets from wheels; a run, its report and an export work")


if __name__ == "__main__":
    main()
