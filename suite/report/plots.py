"""Plot blocks as inline SVG: the same bytes for the same plot, text as text, no style attributes.

Drawn by matplotlib's SVG backend on a figure of its own (no pyplot, no global figure). Marker colours are
replaced by CSS classes afterwards, so that a page's light and dark schemes both apply and a strict
Content-Security-Policy, which forbids style attributes, holds.
"""

import io
import math
import re
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from suite.blocks import Line, Plot
from suite.report.hostile_text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 12
MOST_POINTS = 5000
MOST_LABELS = 40
MOST_BANDS = 3  # lines; with more, intervals are bars side by side, since bands would cover each other
SERIES = 8  # colours; lines beyond are told apart by dash and marker

_INK, _GRID = "#010101", "#020202"
_COLOURS = [f"#0300{index:02x}" for index in range(SERIES)]
_CLASSES = {_INK: "ink", _GRID: "grid", **{colour: f"c{index}" for index, colour in enumerate(_COLOURS)}}
_DASHES: list[str | tuple[int, tuple[float, ...]]] = ["-", (0, (5, 2)), (0, (1.5, 1.5))]
_MARKERS = "os^Dv"
_SVG = "http://www.w3.org/2000/svg"
_KEPT = {
    "fill", "stroke", "stroke-width", "stroke-linejoin", "stroke-linecap", "stroke-dasharray",
    "stroke-dashoffset", "stroke-opacity", "fill-opacity", "opacity", "stroke-miterlimit",
    "fill-rule", "text-anchor", "font-size", "font-weight", "dominant-baseline",
}  # fmt: skip


def series_class(index: int) -> str:
    """CSS class of the nth line's colour, for a legend outside the plot."""
    return f"c{index % SERIES}"


def draw_plot(plot: Plot, identity: str) -> str:
    """The plot as an SVG element. identity: unique on its page, of letters, digits and hyphens.

    Points that are no finite numbers are left out. Raises nothing for hostile names: text is never parsed
    as mathematics or markup.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    settings = matplotlib.rc_context(
        {"svg.hashsalt": identity, "svg.fonttype": "none", "font.size": 9.5, "font.family": "sans-serif"}
    )
    with settings, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a font without some letter: the browser has its own
        figure = Figure(figsize=(5.8, 3.2), dpi=72, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        _axes(axes, plot)
        for index, line in enumerate(plot.lines[:MOST_LINES]):
            _line(axes, plot, line, index, min(len(plot.lines), MOST_LINES))
        if plot.diagonal:
            axes.axline((0, 0), slope=1, color=_GRID, linewidth=1)
        if plot.y_range and _drawable(*plot.y_range) and plot.y_range[0] < plot.y_range[1]:
            axes.set_ylim(*plot.y_range)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return _restyled(buffer.getvalue(), plot, identity)


def _axes(axes: "Axes", plot: Plot) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_GRID)
    axes.grid(axis="y", color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_GRID, labelcolor=_INK, length=3)
    axes.set_xlabel(one_line(plot.x, 60), color=_INK, parse_math=False)
    axes.set_ylabel(one_line(plot.y, 60), color=_INK, parse_math=False)
    _ticks(axes, plot)


def _ticks(axes: "Axes", plot: Plot) -> None:
    """Ticks at categories, at the values themselves where they are few, else at round numbers."""
    from matplotlib.ticker import MaxNLocator

    xs = sorted({float(x) for line in plot.lines for x, y in line.points if _drawable(x, y)})
    if plot.x_labels:
        labels = [one_line(label, 24) for label in plot.x_labels[:MOST_LABELS]]
        rotation, at = (30, "right") if sum(map(len, labels)) > 60 else (0, "center")
        axes.set_xticks(range(len(labels)), labels, parse_math=False, rotation=rotation, ha=at)
        axes.set_xlim(-0.5, max(len(labels) - 0.5, 0.5))
    elif plot.kind == "histogram" or not xs:
        return
    elif len(xs) <= 10 and all(b - a >= (xs[-1] - xs[0]) / 25 for a, b in pairwise(xs)):
        axes.set_xticks(xs, [f"{x:.6g}" for x in xs], parse_math=False)
    elif all(x.is_integer() for x in xs):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _line(axes: "Axes", plot: Plot, line: Line, index: int, count: int) -> None:
    points = [
        (x, y, line.intervals[i] if i < len(line.intervals) else None)
        for i, (x, y) in enumerate(line.points[:MOST_POINTS])
        if _drawable(x, y)
    ]
    if not points:
        return
    colour, marker = _COLOURS[index % SERIES], _MARKERS[index % len(_MARKERS)]
    xs, ys = [x for x, _, _ in points], [y for _, y, _ in points]
    if plot.kind == "histogram":
        try:
            axes.hist(xs, weights=ys, bins=min(30, max(len(set(xs)), 1)), color=colour, alpha=0.6)
        except ValueError:  # numbers so large and near each other that no bins lie between them
            axes.bar(xs, ys, color=colour, alpha=0.6)
        return
    if plot.kind == "bars":
        width = 0.8 / count
        xs = [x + (index - (count - 1) / 2) * width for x in xs]
        axes.bar(xs, ys, width=width * 0.95, color=colour, alpha=0.75)
    elif plot.kind == "points":
        xs = [x + (index - (count - 1) / 2) * 0.08 for x in xs] if plot.x_labels else xs
        axes.plot(xs, ys, color=colour, marker=marker, markersize=4, linestyle="none")
    else:
        if count > MOST_BANDS:
            spread = max(xs) - min(xs)
            xs = [x + (index - (count - 1) / 2) * 0.007 * spread for x in xs]
        dash = _DASHES[index // SERIES % len(_DASHES)]
        axes.plot(xs, ys, color=colour, marker=marker, markersize=4, linewidth=1.6, linestyle=dash)
    bands = plot.kind == "line" and count <= MOST_BANDS
    _intervals(axes, plot, xs, [(y, given) for _, y, given in points], colour, bands)


def _intervals(
    axes: "Axes",
    plot: Plot,
    xs: Sequence[float],
    points: Sequence[tuple[float, tuple[float, float] | None]],
    colour: str,
    bands: bool,
) -> None:
    """Bands where wanted and every point of a line has an interval, bars elsewhere."""
    ends = [(x, *given) for x, (_, given) in zip(xs, points, strict=True) if given and _drawable(*given)]
    if not ends:
        return
    at, low, high = ([end[i] for end in ends] for i in range(3))
    if bands and len(ends) == len(points) > 1:
        axes.fill_between(at, low, high, color=colour, alpha=0.13, linewidth=0)
        return
    line = _INK if plot.kind == "bars" else colour
    axes.vlines(at, low, high, color=line, linewidth=1.1, alpha=0.8)


def _drawable(*numbers: float) -> bool:
    return all(isinstance(one, int | float) and math.isfinite(one) and abs(one) < 1e300 for one in numbers)


def _restyled(raw: bytes, plot: Plot, identity: str) -> str:
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(raw)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}style", f"{{{_SVG}}}metadata"):
                parent.remove(child)
    for element in root.iter():
        _restyle(element, identity)
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("class", "plot")
    root.set("aria-labelledby", f"{identity}-title {identity}-desc")
    title, desc = ElementTree.Element(f"{{{_SVG}}}title"), ElementTree.Element(f"{{{_SVG}}}desc")
    title.text, title.attrib["id"] = one_line(plot.title or plot.y or "plot"), f"{identity}-title"
    desc.text, desc.attrib["id"] = description(plot), f"{identity}-desc"
    root.insert(0, desc)
    root.insert(0, title)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _restyle(element: ElementTree.Element, identity: str) -> None:
    """Style attributes become presentation attributes and classes; ids become unique on the page."""
    attributes = element.attrib
    pairs = (pair.split(":", 1) for pair in attributes.pop("style", "").split(";") if ":" in pair)
    style: dict[str, str] = {name.strip(): value.strip() for name, value in pairs}
    if size := re.search(r"([\d.]+)px", style.pop("font", "")):
        style.setdefault("font-size", size[1])
    classes = []
    for name, value in {**attributes, **style}.items():
        if name in ("fill", "stroke") and value in _CLASSES:
            classes.append(f"{name}-{_CLASSES[value]}")
            attributes.pop(name, None)
        elif name in style and name in _KEPT:
            attributes[name] = value.removesuffix("px") if name == "font-size" else value
    if classes:
        attributes["class"] = " ".join(classes)
    for name, value in list(attributes.items()):
        if name == "id":
            attributes[name] = f"{identity}-{value}"
        elif value.startswith("url(#"):
            attributes[name] = f"url(#{identity}-{value[5:]}"
        elif name.endswith("href") and value.startswith("#"):
            attributes[name] = f"#{identity}-{value[1:]}"


def description(plot: Plot) -> str:
    """What a plot shows, in words: axes, lines, first and last point of each."""
    parts = [f"{one_line(plot.y, 60) or 'values'} against {one_line(plot.x, 60) or 'categories'}."]
    for line in plot.lines[:MOST_LINES]:
        points = [point for point in line.points if _drawable(*point)]
        if points:
            (x0, y0), (x1, y1) = points[0], points[-1]
            parts.append(f"{one_line(line.name, 60)}: {y0:.4g} at {x0:.4g}, {y1:.4g} at {x1:.4g}.")
    if len(plot.lines) > MOST_LINES:
        parts.append(f"{len(plot.lines) - MOST_LINES} more lines are not drawn.")
    return " ".join(parts)
