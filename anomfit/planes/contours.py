"""Contours of numbers in the cells of a plane, in the parameters' own units."""

from dataclasses import dataclass

import numpy as np
from contourpy import contour_generator

from anomfit.planes.axes import Axis

STEEP = 4.0  # times the level, or one more decade: next to a cliff a contour is drawn as if nothing rose further


@dataclass(frozen=True)
class Contour:
    """Pieces of a contour, each an array (vertices, 2) of x and y in the parameters' own units."""

    pieces: tuple[np.ndarray, ...]


def lines_at(axes: tuple[Axis, Axis], values: np.ndarray, level: float) -> Contour:
    """The contour of `values` (y, x) at a level, between the middles of cells; none runs where values are NaN.

    Straight between cells in the coordinates of the axes, the logarithm on a logarithmic one.
    """
    highest = STEEP * level if level > 0.0 else 1.0
    clipped = np.ma.masked_invalid(np.clip(values, level - (highest - level), highest))
    generator = contour_generator(axes[0].scaled, axes[1].scaled, clipped, corner_mask=True)
    pieces = []
    for line in generator.lines(level):
        own = [np.exp(v) if a.parameter.is_log else v for a, v in zip(axes, np.asarray(line).T, strict=True)]
        pieces.append(np.stack(own, axis=1))
    return Contour(tuple(pieces))
