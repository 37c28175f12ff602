"""The axis of a figure. Its markup: `templates/figures.html.j2`."""

import math


def nice(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers that hold low and high between them, at most `most` + 1 of them."""
    if not high - low > max(1e-9 * max(abs(low), abs(high)), 1e-10):  # ticks have 12 decimals
        return [low]
    rough = (high - low) / most
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * one for one in (1, 2, 2.5, 5, 10) if size * one >= rough)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(one * step, 12) for one in range(first, last + 1)]
