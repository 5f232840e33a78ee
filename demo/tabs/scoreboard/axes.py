"""What both plots of the Scoreboard stand in: an area with a scale each way, grid, numbers and names, as SVG.

Upwards are bits per dimension, to the right time or steps from 0 on. Colours and sizes are in `style.css`.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Axes:
    """A drawing of `width` x `height` with an area inside its margins; `name` tells its clip path from others."""

    name: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    end: float  # of the axis to the right
    low: float  # bits per dimension at the foot of the area
    high: float

    @property
    def inner(self) -> int:
        """Width of the area."""
        return self.width - self.left - self.right

    @property
    def foot(self) -> int:
        """The y of the area's lower edge; its right edge is `edge`."""
        return self.height - self.bottom

    @property
    def edge(self) -> int:
        return self.width - self.right

    @property
    def clip(self) -> str:
        """The attribute that cuts a group off at the area."""
        return f'clip-path="url(#{self.name}-area)"'

    def x(self, value: float) -> float:
        return round(self.left + self.inner * value / self.end, 1)

    def y(self, bits: float) -> float:
        return round(self.top + (self.foot - self.top) * (self.high - bits) / (self.high - self.low), 1)

    def level(self, bits: float, name: str) -> str:
        """A line across the whole area, of class `name`."""
        return f'<line class="{name}" x1="{self.left}" x2="{self.edge}" y1="{self.y(bits)}" y2="{self.y(bits)}"/>'

    def drawn(self, across: str) -> str:
        """Grid, numbers and the names of both axes; `across` names the one to the right."""
        parts = [f'<clipPath id="{self.name}-area"><rect x="{self.left}" y="{self.top}" width="{self.inner}" '
                 f'height="{self.foot - self.top}"/></clipPath>']
        for value in ticks(self.low, self.high):
            parts.append(f'{self.level(value, "grid")}<text x="{self.left - 8}" y="{self.y(value) + 5}" '
                         f'text-anchor="end">{value:g}</text>')
        for value in ticks(0, self.end):
            parts.append(f'<text x="{self.x(value)}" y="{self.foot + 20}" text-anchor="middle">{value:g}</text>')
        parts.append(f'<text class="axis" x="{(self.left + self.edge) / 2}" y="{self.height - 6}" '
                     f'text-anchor="middle">{across}</text>'
                     f'<text class="axis" transform="translate(16 {(self.top + self.foot) / 2}) rotate(-90)" '
                     'text-anchor="middle">bits per dimension</text>')
        return "".join(parts)


def polyline(points: list[tuple[float, float]], name: str) -> str:
    return f'<polyline class="{name}" points="{" ".join(f"{px},{py}" for px, py in points)}"/>'


def ticks(low: float, high: float) -> list[float]:
    """About five round numbers between two others."""
    rough = (high - low) / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(float(m * power) for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
    first = int(np.ceil(low / step - 1e-9))
    return [round(k * step, 6) for k in range(first, int(np.floor(high / step + 1e-9)) + 1)]
