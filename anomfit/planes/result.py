"""A plane that has been computed: its table, its contours, the best fit, and how they are written."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from anomfit.folders import claim, made_folder, written_whole
from anomfit.inference.compare.exclusions import EXCLUDED as LIMIT
from anomfit.planes.axes import Axis
from anomfit.planes.contours import Contour, lines_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ABOVE = "delta_twice_nll"
LEVELS: Mapping[str, tuple[float, float]] = {"one parameter": (1.00, 3.84), "two parameters": (2.30, 5.99)}
"""-2 ln L above its minimum within which 68 and 95 % lie, of a chi^2 of one and of two degrees of freedom."""
SHARES = ("68 %", "95 %")
REGIONS = (0.6827, 0.9545)  # of a posterior
CREDIBLE = "credible"
TABLE, LINES, FIGURE = "plane", "contours", "plane.png"
FILES = (f"{TABLE}.parquet", f"{TABLE}.csv", f"{LINES}.parquet", f"{LINES}.csv", FIGURE)

KINDS = ("likelihood", "measurement", "constraint in the fit", "constraint outside of the fit")


@dataclass(frozen=True)
class Line:
    """A contour of the plane by name: a part of `kind` (one of KINDS, or "posterior") at `level` of its own quantity.

    everywhere: the quantity is above the level in the whole plane, None where there is a contour or it is nowhere so.
    """

    name: str
    kind: str
    level: float
    contour: Contour
    everywhere: bool = False


@dataclass(frozen=True)
class Plane:
    """A plane of two parameters, cell by cell; `method` is "fixed", "profile" or "posterior".

    table: columns of one length, x running fastest (docs/planes.md). best: parameters and pulls of the lowest -2 ln L
    that fit or plane have found, `lowest`; of a posterior, those of the result's best fit, if any. fitted, outside:
    constraints of the fit, and others that were compared. fails: those of them that fail without new physics already,
    which no line is drawn of. problems: what must be said, in sentences.
    """

    axes: tuple[Axis, Axis]
    method: str
    table: Mapping[str, np.ndarray]
    best: Mapping[str, float]
    lowest: float
    model: str
    measurements: tuple[str, ...]
    fitted: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Cells along y and along x, as arrays of the plane have them."""
        return self.axes[1].cells, self.axes[0].cells

    def column(self, name: str) -> np.ndarray:
        """A column of the table as an array (y, x)."""
        return np.asarray(self.table[name]).reshape(self.shape)

    def lines(self) -> list[Line]:
        """All contours: of the likelihood, each measurement's own above its lowest value in the plane, and where each
        constraint begins to exclude: -2 ln L of 2.71 within the fit, a ratio of 1 outside of it. None runs where the
        prior has no point, since nothing there is a point of the model.
        """
        if self.method == "posterior":
            field = self.column(CREDIBLE)
            return [
                Line(share, "posterior", level, lines_at(self.axes, field, level))
                for share, level in zip(SHARES, REGIONS, strict=True)
            ]
        found = [
            self._line(f"{share}, {what}", "likelihood", self.column(ABOVE), level)
            for what, levels in LEVELS.items()
            for share, level in zip(SHARES, levels, strict=True)
        ]
        for name in self.measurements:
            own = self._inside(f"twice_nll.{name}")
            finite = own[np.isfinite(own)]
            if finite.size and np.ptp(finite) > 0.0:
                above = own - finite.min()
                for share, level in zip(SHARES, LEVELS["two parameters"], strict=True):
                    found.append(self._line(f"{name}, {share}", "measurement", above, level))
        for name in self.fitted:
            if name.partition(":")[0] not in self.fails:
                ratio = np.sqrt(np.maximum(self._inside(f"twice_nll.{name}"), 0.0) / LIMIT)
                found.append(self._limit(name, "constraint in the fit", ratio, LIMIT))
        for name in self.outside:
            if name not in self.fails:
                found.append(self._limit(name, "constraint outside of the fit", self._inside(f"ratio.{name}"), 1.0))
        return found

    def _inside(self, name: str) -> np.ndarray:
        """A column of the table as an array (y, x), NaN where the prior has no point."""
        return np.where(self.column("status") == "outside", np.nan, self.column(name))

    def _limit(self, name: str, kind: str, ratio: np.ndarray, level: float) -> Line:
        """Where a ratio to a limit is 1, by its logarithm: with lifetimes it changes by decades from cell to cell."""
        line = self._line(name, kind, np.log10(np.maximum(ratio, 1e-30)), 0.0)
        return replace(line, level=level)

    def _line(self, name: str, kind: str, values: np.ndarray, level: float) -> Line:
        contour = lines_at(self.axes, values, level)
        defined = values[np.isfinite(values)]
        return Line(name, kind, level, contour, bool(defined.size and not contour.pieces and defined.min() > level))

    def intervals(self) -> dict[str, dict[str, tuple[float | None, float | None]]]:
        """For each axis the 68 and 95 % intervals of that one parameter, the other one profiled over the plane: where
        -2 ln L stays within 1.00 and 3.84 of its lowest value. None where an end is beyond the plane.
        """
        if self.method == "posterior":
            return {}
        above, found = np.nan_to_num(self.column(ABOVE), nan=np.inf, posinf=np.inf), {}
        for k, axis in enumerate(self.axes):
            profile = _lowest_along(above if k == 0 else above.T)
            found[axis.name] = {
                share: _interval(axis, profile, level)
                for share, level in zip(SHARES, LEVELS["one parameter"], strict=True)
            }
        return found

    def plot(self, ax: "Axes") -> "Axes":
        """Draw contours, exclusion lines, legend and best fit into an Axes."""
        from anomfit.plotting.plane_lines import plot_lines

        return plot_lines(self, ax)

    def save(self, folder: str | Path) -> list[Path]:
        """Write plane and contours as Parquet and CSV, and the figure; the files. The folder is made if need be."""
        from anomfit.plotting.plane_lines import save_lines

        made, lines = made_folder(Path(folder)), _line_columns(self.lines())
        for name in FILES:
            claim(made / name)
        files = [*_written(made, TABLE, self.table), *_written(made, LINES, lines)]
        return [*files, save_lines(self, made)]


def _lowest_along(above: np.ndarray) -> np.ndarray:
    """The lowest value of every column, by the parabola through its lowest cell and the two beside it."""
    rows, columns = np.argmin(above, axis=0), np.arange(above.shape[1])
    lowest = above[rows, columns]
    inner = (rows > 0) & (rows < len(above) - 1)
    before, after = (above[np.clip(rows + step, 0, len(above) - 1), columns] for step in (-1, 1))
    good = inner & np.isfinite(before + lowest + after)
    bend = np.where(good, before - 2.0 * lowest + after, 0.0)
    tilt = np.where(good, after - before, 0.0)
    below = np.where(bend > 0.0, tilt**2 / (8.0 * np.where(bend > 0.0, bend, 1.0)), 0.0)
    return np.maximum(lowest - below, 0.0)


def _interval(axis: Axis, profile: np.ndarray, level: float) -> tuple[float | None, float | None]:
    """Where a profile along an axis leaves the level, from its lowest cell outwards, by straight lines of its root."""
    s, lowest = axis.scaled, int(np.argmin(profile))
    if not profile[lowest] < level:
        return None, None
    root, ends = np.sqrt(np.maximum(np.minimum(profile, 1e6), 0.0)), []
    for step in (-1, 1):
        k = lowest
        while 0 <= k + step < len(s) and profile[k + step] < level:
            k += step
        if not 0 <= k + step < len(s):
            ends.append(None)
            continue
        share = (np.sqrt(level) - root[k]) / (root[k + step] - root[k])
        end = s[k] + share * (s[k + step] - s[k])
        ends.append(float(np.exp(end) if axis.parameter.is_log else end))
    return ends[0], ends[1]


def _line_columns(lines: list[Line]) -> dict[str, np.ndarray]:
    """A row a vertex."""
    rows: list[tuple[Any, ...]] = []
    for line in lines:
        for k, piece in enumerate(line.contour.pieces):
            rows += [(line.name, line.kind, line.level, k, float(x), float(y)) for x, y in piece]
    names, kinds = ("name", "kind", "level", "piece", "x", "y"), (str, str, float, int, float, float)
    return {n: np.array([row[i] for row in rows], dtype=t) for i, (n, t) in enumerate(zip(names, kinds, strict=True))}


def _written(folder: Path, name: str, table: Mapping[str, np.ndarray]) -> Iterator[Path]:
    """name.parquet and name.csv."""
    columns = {key: np.asarray(x) for key, x in table.items()}
    with written_whole(folder / f"{name}.parquet") as part:
        pq.write_table(pa.table({key: pa.array(x) for key, x in columns.items()}), part, compression="zstd")
    yield folder / f"{name}.parquet"
    path = folder / f"{name}.csv"
    with written_whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(x.tolist() for x in columns.values()), strict=True))
    yield path
