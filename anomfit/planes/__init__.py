"""Planes: -2 ln L, or a posterior, over two parameters; a table, contours and a figure."""

from anomfit.planes.axes import Axis
from anomfit.planes.compute import METHODS, plane
from anomfit.planes.result import LEVELS, Line, Plane

__all__ = ["LEVELS", "METHODS", "Axis", "Line", "Plane", "plane"]
