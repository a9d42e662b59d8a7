"""-2 ln L minimised in the cells of a plane, wave after wave: what a wave finds depends on the waves before it alone.

A coarse lattice of cells starts at known optima; finer ones start between the cells that are there; in between and at
the end cells look at their neighbours, and go on from one whose point is better at their own place. Where a likelihood
is cheap (`Search`), the coarse lattice starts at points all over the prior too, and cells descend from the minima of
their neighbours, near ones and farther ones, as long as that lowers any cell.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from scipy.stats import qmc

from anomfit.inference.cells.around import AroundPlane
from anomfit.inference.cells.quasi_newton import Ends, descend_from, positive
from anomfit.inference.fit.minuit import expected_distance, minuit

CONVERGED, RETRIED, UNCONVERGED, OUTSIDE, UNDEFINED = range(5)
STATUS = ("converged", "retried", "not converged", "outside", "undefined")

TOLERANCE = 2e-3  # of -2 ln L, the distance to the minimum by the Hessian
NO_GAIN = 3e-3  # a descent that gains less with a Hessian of its own place has nowhere to go
ROUNDS, TURNS = 40, 3  # gradients of a descent; how often it may begin again with a Hessian of where it stands
LEAST_CURVATURE = 0.2  # of -2 ln L in fractions of ranges
STEP = 1e-4  # of a range, or a pull: differences of gradients
APART, APART_PULL = 0.05, 0.3  # points of neighbours that are further apart may be of two valleys
BETTER = 5e-3  # what a neighbour's point must gain to be followed
MIGRAD_CALLS = 400

Report = Callable[[int], None]


@dataclass(frozen=True)
class Search:
    """How hard minima are looked for.

    seeds: known optima that a cell of the coarsest lattice starts from; scattered, followed: points all over the prior
    that it looks at, and how many of the best it starts from. worse: a neighbour whose -2 ln L is higher by more has
    nothing to offer. reaches: how far away neighbours are, in spacings of the lattice. offers: how many minima of
    neighbours, each away from the others and from the cell's own, a cell descends from; 0: from the best one, if that
    is better than the cell's own as it stands.
    """

    seeds: int = 3
    scattered: int = 0
    followed: int = 0
    worse: float = 1.0
    reaches: tuple[int, ...] = (1,)
    offers: int = 0


@dataclass
class Cells:
    """n cells: fractions and pulls (n, m), -2 ln L with its distance to the minimum, index into `STATUS`, the Hessian
    (n, m, m), gradients so far, and whether the last wave has changed the cell.
    """

    x: np.ndarray
    value: np.ndarray
    distance: np.ndarray
    status: np.ndarray
    hessian: np.ndarray
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
            np.zeros((n, m, m)) + np.eye(m),
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

    `seeds` (k, all): known optima, scaled, the best first.
    """

    around: AroundPlane
    x: np.ndarray
    y: np.ndarray
    seeds: np.ndarray
    search: Search = Search()

    def places(self, cells: np.ndarray) -> np.ndarray:
        """What cells hold (n, 2), scaled."""
        return np.stack([self.x[cells % len(self.x)], self.y[cells // len(self.x)]], axis=1)

    def points(self, cells: np.ndarray, found: Cells) -> np.ndarray:
        """Scaled coordinates of cells (n, all)."""
        return self.around.scaled(found.x, self.places(cells))

    def first(self, cells: np.ndarray, report: Report = lambda done: None) -> Cells:
        """Cells from the best few of the seeds, and of points all over the prior, whichever ends lowest."""
        places, found = self.places(cells), Cells.empty(len(cells), self.around.size)
        moved = np.array([self.around.fractions(np.repeat(s[None], len(cells), axis=0), places) for s in self.seeds])
        is_open = ~self.around.outside(self.around.scaled(moved[0], places))[1]
        found.x[:], found.status[~is_open] = moved[0], OUTSIDE
        if not is_open.any():
            return found
        places, moved = places[is_open], moved[:, is_open]
        starts = self._best(moved, places, min(self.search.seeds, len(self.seeds)))
        if self.search.followed:
            anywhere = np.repeat(self._scattered()[:, None], len(places), axis=1)
            starts = np.concatenate([starts, self._best(anywhere, places, self.search.followed)])
        rows = np.tile(np.arange(len(places)), len(starts))
        new = self._lowest_of(rows, places, starts.reshape(-1, self.around.size), None, report)
        found.put(np.flatnonzero(is_open), new)
        return found

    def _best(self, tried: np.ndarray, places: np.ndarray, wanted: int) -> np.ndarray:
        """The `wanted` best (wanted, n, m) of points that are tried in every cell (k, n, m)."""
        values = np.array([self.around.values(x, places) for x in tried])
        order = np.argsort(values, axis=0, kind="stable")[:wanted]
        return np.take_along_axis(tried, order[:, :, None], axis=0)

    def _scattered(self) -> np.ndarray:
        """Points all over the ranges, pulls at 0: Halton's sequence."""
        points = qmc.Halton(self.around.size, scramble=False).random(self.search.scattered + 1)[1:]
        return np.where(self.around.is_fraction, points, 0.0)

    def with_hessians(self, cells: np.ndarray, found: Cells) -> Cells:
        """The same cells with their Hessians by differences, in place of what the descents have learnt."""
        chosen = np.flatnonzero(np.isin(found.status, (CONVERGED, RETRIED)))
        if chosen.size:
            hessians = self.hessians(found.x[chosen], self.places(cells)[chosen])
            good = np.isfinite(hessians).all(axis=(1, 2))
            found.hessian[chosen[good]] = positive(hessians[good], LEAST_CURVATURE)
            found.gradients[chosen] += self.around.size + 1
        return found

    def hessians(self, x: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Second derivatives (n, m, m) by fractions and pulls: differences of the exact gradient, to where there is
        room.
        """
        n, m = x.shape
        step = np.where(x + STEP > self.around.limits.high, -STEP, STEP)
        points = np.concatenate([x[:, None], x[:, None] + step[:, :, None] * np.eye(m)], axis=1).reshape(-1, m)
        slopes = self.around.gradients(points, np.repeat(places, m + 1, axis=0))[1].reshape(n, m + 1, m)
        rows = (slopes[:, 1:] - slopes[:, :1]) / step[:, :, None]
        return 0.5 * (rows + rows.transpose(0, 2, 1))

    def between(self, cells: np.ndarray, known: Cells, stride: int, report: Report = lambda done: None) -> Cells:
        """Cells of the lattice of this stride from those of twice the stride, which are `known` for the whole grid.

        The start is the middle of the two or four cells around where these are of one valley, else the best of them.
        """
        places, starts = self.places(cells), np.zeros((len(cells), self.around.size))
        hessian, unsure = np.zeros((len(cells), self.around.size, self.around.size)), []
        for k, cell in enumerate(cells):
            parents = self._parents(int(cell), stride)
            best = parents[int(np.argmin(known.value[parents]))]
            hessian[k] = known.hessian[best]
            starts[k] = np.mean(known.x[parents], axis=0)
            if not np.isfinite(known.value[parents]).all() or self._apart(known.x[parents], known.x[best]).any():
                starts[k] = known.x[best]
                unsure.append((k, parents))
        if unsure:
            rows = np.array([k for k, parents in unsure for _ in parents])
            tried = known.x[np.concatenate([parents for _, parents in unsure])]
            values, of = self.around.values(tried, places[rows]), np.concatenate([p for _, p in unsure])
            for k, _ in unsure:
                mine = np.flatnonzero(rows == k)
                best = of[mine[int(np.argmin(values[mine]))]]
                starts[k], hessian[k] = known.x[best], known.hessian[best]
        return self.descended(places, starts, hessian, report)

    def swept(
        self, cells: np.ndarray, known: Cells, stride: int, is_first: bool, report: Report = lambda done: None
    ) -> Cells:
        """Cells as they are `known`, or as they come out from points of neighbours.

        The first of several sweeps looks at all neighbours, a later one at those that have changed.
        """
        found, places = known.take(cells), self.places(cells)
        found.changed[:] = False
        rows, others = self.neighbours(cells, known, stride, is_first)
        if not rows.size:
            return found
        values = self.around.values(known.x[others], places[rows])
        wanted = self._wanted(rows, others, values, found, known)
        if not wanted.size:
            return found
        rows, others = rows[wanted], others[wanted]
        hessians = known.hessian[others] if self.search.offers else None
        chosen, place = np.unique(rows, return_inverse=True)
        self.improve(found, chosen, self._lowest_of(place, places[chosen], known.x[others], hessians, report))
        return found

    def _lowest_of(self, rows, places, starts, hessians, report: Report) -> Cells:
        """The lowest minimum of each of the cells that hold `places`, from one or several `starts`; `rows` are the
        cells that these are of. Only the lowest of several is begun again where it has not converged.
        """
        turns = 1 if len(rows) > len(places) else TURNS
        tried = self.descended(places[rows], starts, hessians, report, turns)
        order = np.lexsort((tried.value, rows))
        found = tried.take(order[np.searchsorted(rows[order], np.arange(len(places)))])
        left = np.flatnonzero((found.status == UNCONVERGED) & (turns < TURNS))
        if left.size:
            found.put(left, self.descended(places[left], found.x[left], None, report, TURNS - turns))
            tried.gradients = np.append(tried.gradients, found.gradients[left])
            rows = np.append(rows, left)
        found.gradients = np.bincount(rows, tried.gradients, len(places)).astype(np.int32)
        return found

    def neighbours(self, cells: np.ndarray, known: Cells, stride: int, is_first: bool) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of a place among `cells` and the number of a neighbour whose point may be better there."""
        worth = [self._worth(int(cell), known, stride, is_first) for cell in cells]
        rows = np.repeat(np.arange(len(cells)), [len(found) for found in worth])
        return rows, np.array([other for found in worth for other in found], dtype=int)

    def _wanted(self, rows, others, values, found: Cells, known: Cells) -> np.ndarray:
        """Which pairs are followed, at most as many a cell as the search has offers, those of one cell best first."""
        chosen: list[int] = []
        order = np.lexsort((values, rows))
        for own in np.split(order, np.flatnonzero(np.diff(rows[order])) + 1):
            k, kept = int(rows[own[0]]), []
            failed = found.status[k] >= UNCONVERGED
            for i in own:
                is_better = failed or values[i] < found.value[k] - BETTER
                if not np.isfinite(values[i]) or len(kept) >= max(self.search.offers, 1):
                    break
                if not is_better and not (self.search.offers and values[i] < found.value[k] + self.search.worse):
                    break
                seen = np.array([known.x[others[j]] for j in kept] + ([] if is_better else [found.x[k]]))
                if not len(seen) or self._apart(seen.reshape(-1, self.around.size), known.x[others[i]]).all():
                    kept.append(int(i))
            chosen += kept
        return np.array(chosen, dtype=int)

    def improve(self, found: Cells, chosen: np.ndarray, new: Cells) -> None:
        """Have the `chosen` of the cells as they are in `new` where that is better; all gradients count."""
        before, failed = found.value[chosen], found.status[chosen] >= UNCONVERGED
        is_better = (new.value < before) | (failed & (new.status == CONVERGED) & (new.value < before + TOLERANCE))
        new.status[failed & (new.status == CONVERGED)] = RETRIED
        new.gradients += found.gradients[chosen]
        found.gradients[chosen] = new.gradients
        found.put(chosen[is_better], new.take(np.flatnonzero(is_better)))
        found.changed[chosen] = is_better & (failed | (new.value < before - BETTER))

    def finished(self, cells: np.ndarray, found: Cells) -> Cells:
        """Cells that no neighbour could help are handed to MIGRAD; what it settles counts as retried."""
        for k in np.flatnonzero((found.status == UNCONVERGED) & np.isfinite(found.value)):
            place = self.places(cells[k : k + 1])
            fitter = minuit(self.around.problem, self.around.scaled(found.x[k : k + 1], place)[0], TOLERANCE)
            for i in self.around.held:
                fitter.fixed[i] = True
            fitter.migrad(ncall=MIGRAD_CALLS, iterate=1)
            x = self.around.fractions(np.array(fitter.values)[None], place)
            value, slopes = self.around.gradients(x, place)
            found.gradients[k] += fitter.ngrad
            if np.isfinite(slopes).all() and value[0] < found.value[k] + TOLERANCE:
                found.x[k], found.value[k], found.distance[k] = x[0], value[0], expected_distance(fitter)
                found.status[k] = RETRIED if fitter.valid and found.distance[k] < TOLERANCE else UNCONVERGED
        return found

    def descended(
        self,
        places: np.ndarray,
        starts: np.ndarray,
        hessians: np.ndarray | None,
        report: Report = lambda done: None,
        turns: int = TURNS,
    ) -> Cells:
        """Cells that hold `places`, minimised from `starts` with Hessians that are known, or (None) with those
        found there.

        One that does not converge begins again where it is, with the Hessian of that place; `turns` in all.
        """
        found = Cells.empty(len(places), self.around.size)
        closed = self.around.outside(self.around.scaled(starts, places))[1]
        found.x[:], found.changed[:] = starts, True
        if hessians is not None:
            found.hessian[:] = hessians
        found.status[closed] = OUTSIDE
        going = np.flatnonzero(~closed)
        for turn in range(turns):
            is_fresh = hessians is None or turn > 0
            if is_fresh and going.size:
                own = self.hessians(found.x[going], places[going])
                found.gradients[going] += self.around.size + 1
                going = going[good := np.isfinite(own).all(axis=(1, 2))]
                found.hessian[going] = positive(own[good], LEAST_CURVATURE)
            if not going.size:
                break
            before, spent = found.value[going], found.gradients[going]
            ends = self._ends(places[going], found.x[going], found.hessian[going], report)
            new = as_cells(ends)
            idle = is_fresh & (before - new.value < NO_GAIN) & (new.status == UNCONVERGED)
            new.status[idle] = CONVERGED
            new.gradients += spent
            found.put(going, new)
            going = going[new.status == UNCONVERGED]
        is_out = self.around.outside(self.around.scaled(found.x, places))[0]
        found.status[is_out & (found.status != UNCONVERGED)] = OUTSIDE
        found.value[found.status == OUTSIDE] = np.inf
        return found

    def _ends(self, places, starts, hessians, report) -> Ends:
        def evaluate(which, points):
            return self.around.gradients(points, places[which])

        return descend_from(evaluate, starts, hessians, self.around.limits, TOLERANCE, ROUNDS, report)

    def _parents(self, cell: int, stride: int) -> np.ndarray:
        """Numbers of the cells of twice the stride around a cell."""
        i, j, wide = cell % len(self.x), cell // len(self.x), 2 * stride
        columns, rows = _around(i, wide, len(self.x)), _around(j, wide, len(self.y))
        return np.array([row * len(self.x) + column for row in rows for column in columns])

    def _worth(self, cell: int, known: Cells, stride: int, is_first: bool) -> list[int]:
        """Neighbours whose point may be better at this cell's place."""
        if known.status[cell] == OUTSIDE:
            return []
        i, j, found = cell % len(self.x), cell // len(self.x), []
        for wide in (stride * reach for reach in self.search.reaches):
            for dj in (-wide, 0, wide):
                for di in (-wide, 0, wide):
                    if (di or dj) and 0 <= i + di < len(self.x) and 0 <= j + dj < len(self.y):
                        other = (j + dj) * len(self.x) + i + di
                        if np.isfinite(known.value[other]) and (is_first or known.changed[other]):
                            found.append(other)
        if known.status[cell] >= UNCONVERGED:
            return found
        near = [other for other in found if known.value[other] < known.value[cell] + self.search.worse]
        return [other for other in near if self._apart(known.x[other], known.x[cell])]

    def _apart(self, one: np.ndarray, other: np.ndarray):
        away = np.abs(one - other)
        return np.any(away > np.where(self.around.is_fraction, APART, APART_PULL), axis=-1)


def as_cells(ends: Ends) -> Cells:
    """Cells as descents have ended."""
    status = np.where(ends.converged, CONVERGED, np.where(np.isfinite(ends.value), UNCONVERGED, UNDEFINED))
    gradients, changed = ends.gradients.astype(np.int32), np.ones(len(ends.value), dtype=bool)
    value = np.where(np.isfinite(ends.value), ends.value, np.inf)
    return Cells(ends.x, value, ends.distance, status.astype(np.int8), ends.hessian, gradients, changed)


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
