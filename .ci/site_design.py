"""The two pictures of docs/design.md, drawn from `.importlinter` and from the rooms' own docstrings.

`python .ci/site_design.py` writes them into `docs/`; a test compares what stands there. Not here: the page.
"""

import ast
import configparser
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
# the files that a sample passes, in this order, and what each does with it
WAY = (
    ("cli/eval.py", "reads the command line"),
    ("run/plan.py", "resolves tasks, cells, data and models into a plan"),
    ("data/view.py", "opens the pinned rows of each dataset"),
    ("task.py", "samples(): the task turns a row into a sample"),
    ("run/order.py", "takes the sample's group when its turn comes"),
    ("run/execution.py", "drives solve() and score() under limits"),
    ("run/calls.py", "takes a recorded or cached reply, or asks the role's engine"),
    ("models/client.py", "sends the request and reads the reply"),
    ("journal/journal_file.py", "appends the call, the output and the score"),
    ("scoring/computation.py", "computes the numbers from all scores"),
    ("report/run_reports.py", "writes the report"),
)
_STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.name { font-weight: 600 } .small { font-size: 12px }
rect { fill: #f6f8fa; stroke: #afb8c1 } .inner { fill: #fff }
path { fill: none; stroke: #8250df; stroke-width: 1.5 } circle { fill: #8250df } .lane { stroke: #d0d7de }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } rect { fill: #161b22; stroke: #444c56 } .inner { fill: #0d1117 }
  path { stroke: #a371f7 } circle { fill: #a371f7 } .lane { stroke: #30363d }
}
</style>"""


class Room(NamedTuple):
    """One row of a picture: modules of one layer, what they are, and the rooms inside."""

    name: str
    about: str
    inside: tuple["Room", ...] = ()


def rooms(root: Path = ROOT) -> tuple[Room, ...]:
    """The layers of the suite from the top, those of the board within it."""
    contracts = configparser.ConfigParser()
    contracts.read(root / ".importlinter")
    board = tuple(_rows(root / "suite" / "board", contracts["importlinter:contract:board"]["layers"]))
    return tuple(
        room._replace(inside=board) if room.name == "board" else room
        for room in _rows(root / "suite", contracts["importlinter:contract:layers"]["layers"])
    )


def _rows(folder: Path, layers: str) -> Iterator[Room]:
    for line in layers.strip().splitlines():
        names = re.findall(r"\w+", line)
        told = _sentence(folder, names[0]) if len(names) == 1 else ""
        if len(names) > 1 and "|" in line:  # side by side: neither knows the other
            yield from (Room(name, _sentence(folder, name)) for name in names)
        else:
            yield Room(", ".join(names), told)


def _sentence(folder: Path, name: str) -> str:
    path = folder / name / "__init__.py" if (folder / name).is_dir() else folder / f"{name}.py"
    told = " ".join((ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split())
    return re.split(r"\.(?: |$)", told)[0].replace("`", "")


def rooms_picture(found: Sequence[Room]) -> str:
    """The rooms, one above the other: each may import what stands below it."""
    parts, y = [], 10
    for room in found:
        height = 30 + 24 * len(room.inside) + (6 if room.inside else 0)
        parts.append(f'<rect x="10" y="{y}" width="940" height="{height}" rx="4"/>')
        parts += _line(room, 22, y + 20, 130)
        for at, inner in enumerate(room.inside):
            top = y + 30 + 24 * at
            parts.append(f'<rect class="inner" x="40" y="{top}" width="900" height="20" rx="3"/>')
            parts += _line(inner, 50, top + 14, 100)
        y += height + 6
    return _svg("The rooms of the suite", y + 4, parts)


def _line(room: Room, x: int, y: int, gap: int) -> Iterator[str]:
    yield f'<text class="name" x="{x}" y="{y}">{escape(room.name)}</text>'
    if room.about:
        yield f'<text class="small" x="{x + gap}" y="{y}">{escape(room.about)}</text>'


def way_picture(found: Sequence[Room], way: Sequence[tuple[str, str]] = WAY) -> str:
    """One sample's way, a row a station; the further right, the lower the layer that it is in."""
    layers = [name for room in found for name in room.name.split(", ")]
    stations = [re.split(r"[/.]", path)[0] for path, _ in way]
    lanes = sorted(dict.fromkeys(stations), key=layers.index)
    parts, points = [], []
    bottom = 44 + 28 * len(way)
    for at, lane in enumerate(lanes):
        x = 30 + 58 * at
        parts.append(f'<text class="small" x="{x}" y="20" text-anchor="middle">{escape(lane)}</text>')
        parts.append(f'<path class="lane" d="M{x} 28V{bottom - 14}"/>')
    for at, ((path, does), lane) in enumerate(zip(way, stations, strict=True)):
        x, y = 30 + 58 * lanes.index(lane), 48 + 28 * at
        points.append(f"{x} {y}")
        parts.append(f'<circle cx="{x}" cy="{y}" r="5"/>')
        label = f'<tspan class="name">{escape(path)}</tspan> {escape(does)}'
        parts.append(f'<text x="{46 + 58 * (len(lanes) - 1)}" y="{y + 4}">{label}</text>')
    parts.append(f'<path d="M{"L".join(points)}"/>')
    return _svg("One sample's way through the layers", bottom, parts)


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {height}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title>", _STYLE, *parts, "</svg>", ""])


def pictures(root: Path = ROOT) -> dict[str, str]:
    """File below docs/ -> SVG."""
    found = rooms(root)
    return {"rooms.svg": rooms_picture(found), "way.svg": way_picture(found)}


if __name__ == "__main__":
    for name, text in pictures().items():
        (ROOT / "docs" / name).write_text(text, "utf-8")
