"""-2 ln L minimised in the cells of a plane, wave after wave: what a wave finds depends on the waves before it alone.

A coarse lattice of cells starts at known optima; finer ones start between the cells that are there; in between and at
the end cells look at their neighbours, and go on from one whose point is better at their own place.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from anomfit.inference.cells.around import AroundPlane
from anomfit.inference.cells.quasi_newton import Ends, descend_from, inverted
from anomfit.inference.fit.minuit import expected_distance, minuit

CONVERGED, RETRIED, UNCONVERGED, OUTSIDE, UNDEFINED = range(5)
STATUS = ("converged", "retried", "not converged", "outside", "undefined")

TOLERANCE = 2e-3  # of -2 ln L, the distance to the minimum by the inverse Hessian
NO_GAIN = 3e-3  # a descent that gains less with a Hessian of its own place has nowhere to go
ROUNDS, TURNS = 40, 3  # gradients of a descent; how often it may begin again with a Hessian of where it stands
TRIED = 3  # seeds that a cell of the coarsest lattice starts from
LEAST_CURVATURE = 0.02  # of -2 ln L in angles, where the range is pi wide
STEP = 1e-3  # radian, or units of a pull: differences of gradients
APART, APART_PULL = 0.15, 0.3  # points of neighbours that are further apart may be of two valleys
WORSE = 1.0  # a neighbour whose -2 ln L is higher by more has nothing to offer
BETTER = 5e-3  # what a neighbour's point must gain to be followed
MIGRAD_CALLS = 400

Report = Callable[[int], None]


@dataclass
class Cells:
    """n cells: angles (n, m), -2 ln L with its distance to the minimum, index into `STATUS`, the inverse Hessian
    (n, m, m), gradients so far, and whether the last wave has changed the cell.
    """

    a: np.ndarray
    value: np.ndarray
    distance: np.ndarray
    status: np.ndarray
    inverse: np.ndarray
    gradients: np.ndarray
    changed: np.ndarray

    @classmethod
    def empty(cls, n: int, m: int) -> "Cells":
        """Cells that nothing is known of."""
        return cls(
            np.zeros((n, m)),
            np.full(n, np.inf),
            np.full(n, np.inf),
            np.full(n, UNDEFINED, dtype=np.int8),
            np.zeros((n, m, m)),
            np.zeros(n, dtype=np.int32),
            np.zeros(n, dtype=bool),
        )

    def take(self, which: np.ndarray) -> "Cells":
        """These cells, copied."""
        return Cells(*(getattr(self, f.name)[which].copy() for f in fields(self)))

    def put(self, which: np.ndarray, other: "Cells") -> None:
        """Have these cells as they are in `other`."""
        for f in fields(self):
            getattr(self, f.name)[which] = getattr(other, f.name)


@dataclass(frozen=True)
class ProfiledCells:
    """The grid of a plane: `x` and `y` are the middles of its cells, scaled; a cell's number is y index * nx + x index.

    `seeds` (k, all): known optima, scaled, the best first; a cell of the coarsest lattice starts from `tried` of them.
    worse: a neighbour whose -2 ln L is higher by more is not looked at.
    """

    around: AroundPlane
    x: np.ndarray
    y: np.ndarray
    seeds: np.ndarray
    tried: int = TRIED
    worse: float = WORSE

    def places(self, cells: np.ndarray) -> np.ndarray:
        """What cells hold (n, 2), scaled."""
        return np.stack([self.x[cells % len(self.x)], self.y[cells // len(self.x)]], axis=1)

    def points(self, cells: np.ndarray, found: Cells) -> np.ndarray:
        """Scaled coordinates of cells (n, all)."""
        return self.around.scaled(found.a, self.places(cells))

    def first(self, cells: np.ndarray, report: Report = lambda done: None) -> Cells:
        """Cells from the best few of the seeds moved to each, whichever ends lowest."""
        places = self.places(cells)
        moved = np.array([self.around.angles(np.repeat(s[None], len(cells), axis=0), places) for s in self.seeds])
        values = np.array([self.around.values(a, places) for a in moved])
        order, found = np.argsort(values, axis=0, kind="stable"), Cells.empty(len(cells), self.around.size)
        for rank in range(min(self.tried, len(self.seeds))):
            starts = moved[order[rank], np.arange(len(cells))]
            new = self.descended(places, starts, None, report)
            spent = found.gradients + new.gradients
            better = np.flatnonzero((new.value < found.value) | (rank == 0))
            found.put(better, new.take(better))
            found.gradients[:] = spent
        return found

    def with_hessians(self, cells: np.ndarray, found: Cells) -> Cells:
        """The same cells with their Hessians by differences, in place of what the descents have learnt."""
        chosen = np.flatnonzero(np.isin(found.status, (CONVERGED, RETRIED)))
        if chosen.size:
            hessians = self.hessians(found.a[chosen], self.places(cells)[chosen])
            good = np.isfinite(hessians).all(axis=(1, 2))
            for k, hessian in zip(chosen[good], hessians[good], strict=True):
                found.inverse[k] = inverted(hessian, LEAST_CURVATURE)
            found.gradients[chosen] += 2 * self.around.size
        return found

    def hessians(self, a: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Second derivatives (n, m, m) by the angles: differences of the exact gradient."""
        n, m = a.shape
        shifts = STEP * np.concatenate([np.eye(m), -np.eye(m)])
        points = (a[:, None] + shifts).reshape(-1, m)
        slopes = self.around.gradients(points, np.repeat(places, 2 * m, axis=0))[1].reshape(n, 2, m, m)
        rows = (slopes[:, 0] - slopes[:, 1]) / (2.0 * STEP)
        return 0.5 * (rows + rows.transpose(0, 2, 1))

    def between(self, cells: np.ndarray, known: Cells, stride: int, report: Report = lambda done: None) -> Cells:
        """Cells of the lattice of this stride from those of twice the stride, which are `known` for the whole grid.

        The start is the middle of the two or four cells around where these are of one valley, else the best of them.
        """
        places, starts = self.places(cells), np.zeros((len(cells), self.around.size))
        inverse, unsure = np.zeros((len(cells), self.around.size, self.around.size)), []
        for k, cell in enumerate(cells):
            parents = self._parents(int(cell), stride)
            best = parents[int(np.argmin(known.value[parents]))]
            inverse[k] = known.inverse[best]
            starts[k] = np.mean(known.a[parents], axis=0)
            if not np.isfinite(known.value[parents]).all() or self._apart(known.a[parents], known.a[best]).any():
                starts[k] = known.a[best]
                unsure.append((k, parents))
        if unsure:
            rows = np.array([k for k, parents in unsure for _ in parents])
            tried = known.a[np.concatenate([parents for _, parents in unsure])]
            values, of = self.around.values(tried, places[rows]), np.concatenate([p for _, p in unsure])
            for k, _ in unsure:
                mine = np.flatnonzero(rows == k)
                best = of[mine[int(np.argmin(values[mine]))]]
                starts[k], inverse[k] = known.a[best], known.inverse[best]
        return self.descended(places, starts, inverse, report)

    def swept(
        self, cells: np.ndarray, known: Cells, stride: int, is_first: bool, report: Report = lambda done: None
    ) -> Cells:
        """Cells as they are `known`, or as they come out from a neighbour `stride` away whose point is better there.

        The first of several sweeps looks at all neighbours, a later one at those that have changed.
        """
        found, places = known.take(cells), self.places(cells)
        found.changed[:] = False
        pairs = [(k, other) for k, cell in enumerate(cells) for other in self.worth(int(cell), known, stride, is_first)]
        if not pairs:
            return found
        rows, others = np.array(pairs).T
        values = self.around.values(known.a[others], places[rows])
        best: dict[int, int] = {}
        for i in np.argsort(values, kind="stable")[::-1]:
            best[int(rows[i])] = int(i)
        wanted = {
            k: i
            for k, i in sorted(best.items())
            if np.isfinite(values[i]) and (found.status[k] >= UNCONVERGED or values[i] < found.value[k] - BETTER)
        }
        if not wanted:
            return found
        chosen, sources = np.array(list(wanted)), others[list(wanted.values())]
        new = self.descended(places[chosen], known.a[sources], None, report)
        new.gradients += found.gradients[chosen]
        is_better = (new.value < found.value[chosen]) | (
            (new.status == CONVERGED) & (new.value < found.value[chosen] + TOLERANCE)
        )
        failed = found.status[chosen] >= UNCONVERGED
        new.status[failed & (new.status == CONVERGED)] = RETRIED
        found.gradients[chosen] = new.gradients
        found.put(chosen[is_better], new.take(np.flatnonzero(is_better)))
        found.changed[chosen[is_better]] = True
        return found

    def finished(self, cells: np.ndarray, found: Cells) -> Cells:
        """Cells that no neighbour could help are handed to MIGRAD; what it settles counts as retried."""
        for k in np.flatnonzero((found.status == UNCONVERGED) & np.isfinite(found.value)):
            place = self.places(cells[k : k + 1])
            fitter = minuit(self.around.problem, self.around.scaled(found.a[k : k + 1], place)[0], TOLERANCE)
            for i in self.around.held:
                fitter.fixed[i] = True
            fitter.migrad(ncall=MIGRAD_CALLS, iterate=1)
            a = self.around.angles(np.array(fitter.values)[None], place)
            value, slopes, _ = self.around.gradients(a, place)
            found.gradients[k] += fitter.ngrad
            if np.isfinite(slopes).all() and value[0] < found.value[k] + TOLERANCE:
                found.a[k], found.value[k], found.distance[k] = a[0], value[0], expected_distance(fitter)
                found.status[k] = RETRIED if fitter.valid and found.distance[k] < TOLERANCE else UNCONVERGED
        return found

    def descended(
        self, places: np.ndarray, starts: np.ndarray, inverse: np.ndarray | None, report: Report = lambda done: None
    ) -> Cells:
        """Cells that hold `places`, minimised from `starts` with inverse Hessians that are known, or (None) with those
        found there.

        One that does not converge begins again where it is, with the Hessian of that place.
        """
        found = Cells.empty(len(places), self.around.size)
        closed = self.around.outside(self.around.scaled(starts, places))[1]
        found.a[:], found.changed[:] = starts, True
        found.inverse[:] = 0.0 if inverse is None else inverse
        found.status[closed] = OUTSIDE
        going = np.flatnonzero(~closed)
        for turn in range(TURNS):
            is_fresh = inverse is None or turn > 0
            if is_fresh and going.size:
                hessians = self.hessians(found.a[going], places[going])
                found.gradients[going] += 2 * self.around.size
                going = going[good := np.isfinite(hessians).all(axis=(1, 2))]
                found.inverse[going] = [inverted(h, LEAST_CURVATURE) for h in hessians[good]]
            if not going.size:
                break
            before, spent = found.value[going], found.gradients[going]
            ends = self._ends(places[going], found.a[going], found.inverse[going], report)
            new = _as_cells(ends)
            idle = is_fresh & (before - new.value < NO_GAIN) & (new.status == UNCONVERGED)
            new.status[idle] = CONVERGED
            new.gradients += spent
            found.put(going, new)
            going = going[new.status == UNCONVERGED]
        is_out = self.around.outside(self.around.scaled(found.a, places))[0]
        found.status[is_out & (found.status != UNCONVERGED)] = OUTSIDE
        found.value[found.status == OUTSIDE] = np.inf
        return found

    def _ends(self, places, starts, inverse, report) -> Ends:
        def evaluate(which, points):
            return self.around.gradients(points, places[which])

        return descend_from(evaluate, starts, inverse, self.around.angular, TOLERANCE, ROUNDS, report)

    def _parents(self, cell: int, stride: int) -> np.ndarray:
        """Numbers of the cells of twice the stride around a cell."""
        i, j, wide = cell % len(self.x), cell // len(self.x), 2 * stride
        columns, rows = _around(i, wide, len(self.x)), _around(j, wide, len(self.y))
        return np.array([row * len(self.x) + column for row in rows for column in columns])

    def worth(self, cell: int, known: Cells, stride: int, is_first: bool) -> list[int]:
        """Neighbours whose point may be better at this cell's place."""
        if known.status[cell] == OUTSIDE:
            return []
        i, j, found = cell % len(self.x), cell // len(self.x), []
        for dj in (-stride, 0, stride):
            for di in (-stride, 0, stride):
                if (di or dj) and 0 <= i + di < len(self.x) and 0 <= j + dj < len(self.y):
                    other = (j + dj) * len(self.x) + i + di
                    if np.isfinite(known.value[other]) and (is_first or known.changed[other]):
                        found.append(other)
        if known.status[cell] >= UNCONVERGED:
            return found
        near = [other for other in found if known.value[other] < known.value[cell] + self.worse]
        return [other for other in near if self._apart(known.a[other], known.a[cell])]

    def _apart(self, a: np.ndarray, b: np.ndarray):
        away = np.abs(a - b)
        return np.any(away > np.where(self.around.angular, APART, APART_PULL), axis=-1)


def _as_cells(ends: Ends) -> Cells:
    status = np.where(ends.converged, CONVERGED, np.where(np.isfinite(ends.value), UNCONVERGED, UNDEFINED))
    gradients, changed = ends.gradients.astype(np.int32), np.ones(len(ends.value), dtype=bool)
    return Cells(ends.a, ends.value, ends.distance, status.astype(np.int8), ends.inverse, gradients, changed)


def middles(low: float, high: float, n: int) -> np.ndarray:
    """The middles of n cells between two scaled ends."""
    return low + (high - low) * (np.arange(n) + 0.5) / n


def strides(nx: int, ny: int) -> list[int]:
    """Strides of the lattices, each half of the one before: the coarsest has some eight cells along the longer side."""
    widest = 1
    while 8 * widest < max(nx, ny):
        widest *= 2
    found = [widest]
    while found[-1] > 1:
        found.append(found[-1] // 2)
    return found


def lattice(nx: int, ny: int, stride: int) -> np.ndarray:
    """Numbers of the cells of one lattice, in order."""
    j, i = np.meshgrid(np.arange(0, ny, stride), np.arange(0, nx, stride), indexing="ij")
    return (j * nx + i).ravel()


def _around(i: int, wide: int, n: int) -> list[int]:
    below = i - i % wide
    return [below] if below == i or below + wide >= n else [below, below + wide]
