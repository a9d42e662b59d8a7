"""Cells of a plane minimised with the exact likelihood, when a cheap likelihood that nearly agrees with it is at hand.

The cheap one is made to agree at a point, by adding what is missing there in value and slope, and is minimised; then
the exact one is asked at that minimum, and so on. What is kept is the exact likelihood's, and the end is where the
corrected one promises nothing more: the step of first order of Alexandrov, Lewis, Gumbert, Green and Newman, J.
Aircraft 38 (2001) 1093, who show that it converges to a minimum of the exact function.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anomfit.inference.cells.profiled import (
    BETTER,
    CONVERGED,
    LEAST_CURVATURE,
    OUTSIDE,
    RETRIED,
    ROUNDS,
    TOLERANCE,
    UNCONVERGED,
    Cells,
    ProfiledCells,
)
from anomfit.inference.cells.quasi_newton import Ends, descend_from, inverted

PROMISED = 5e-3  # of -2 ln L: where the corrected likelihood promises less, a cell is done
CORRECTIONS = 8  # of one cell at most
SHARES = (1.0, 0.3)  # of a step: all of it, and less where that made things worse

Report = Callable[[int], None]


def _quiet(done: int) -> None:
    pass


@dataclass(frozen=True)
class CorrectedCells:
    """The grid of a plane twice: with the `exact` likelihood, and with the `cheap` one, of the same coordinates."""

    exact: ProfiledCells
    cheap: ProfiledCells

    def polished(self, cells: np.ndarray, found: Cells, report: Report = _quiet) -> Cells:
        """Cells of the cheap likelihood's plane as minima of the exact one; `gradients` are those of the exact one
        alone. Cells that the cheap one knows nothing of start at the seeds.
        """
        places = self.exact.places(cells)
        known = np.flatnonzero((found.status != OUTSIDE) & np.isfinite(found.value))
        if known.size:
            found.put(known, self.minima(places[known], found.a[known], found.inverse[known], report))
        blank = np.flatnonzero((found.status != OUTSIDE) & ~np.isfinite(found.value))
        if blank.size:
            found.put(blank, self.exact.first(cells[blank], report))
        return found

    def swept(self, cells: np.ndarray, known: Cells, report: Report = _quiet) -> Cells:
        """Cells as they are `known`, or as they come out from a neighbour whose point is better there, as the cheap
        likelihood says with what it lacks at the neighbour's own place.
        """
        found, places = known.take(cells), self.exact.places(cells)
        found.changed[:] = False
        pairs = [(k, other) for k, cell in enumerate(cells) for other in self.cheap.worth(int(cell), known, 1, True)]
        if not pairs:
            return found
        rows, others = np.array(pairs).T
        sources = np.unique(others)
        lacks = known.value[sources] - self.cheap.around.values(known.a[sources], self.exact.places(sources))
        guessed = self.cheap.around.values(known.a[others], places[rows]) + lacks[np.searchsorted(sources, others)]
        best: dict[int, int] = {}
        for i in np.argsort(guessed, kind="stable")[::-1]:
            best[int(rows[i])] = int(i)
        wanted = {
            k: i
            for k, i in sorted(best.items())
            if np.isfinite(guessed[i]) and (found.status[k] >= UNCONVERGED or guessed[i] < found.value[k] - BETTER)
        }
        if not wanted:
            return found
        chosen, of = np.array(list(wanted)), others[list(wanted.values())]
        new = self.minima(places[chosen], known.a[of], known.inverse[of], report)
        is_better = new.value < found.value[chosen]
        failed = found.status[chosen] >= UNCONVERGED
        new.status[failed & (new.status == CONVERGED)] = RETRIED
        new.gradients += found.gradients[chosen]
        found.gradients[chosen] = new.gradients
        found.put(chosen[is_better], new.take(np.flatnonzero(is_better)))
        found.changed[chosen[is_better]] = True
        return found

    def minima(self, places: np.ndarray, starts: np.ndarray, inverse: np.ndarray, report: Report = _quiet) -> Cells:
        """Minima of the exact likelihood from `starts` (n, m) of cells that hold `places`; `gradients` are exact ones.

        `inverse` is used where the cheap likelihood has no Hessian. A cell that corrections do not settle goes on with
        exact gradients alone.
        """
        exact, cells = self.exact.around, Cells.empty(len(starts), self.exact.around.size)
        cells.a[:], cells.inverse[:], cells.changed[:] = starts, self._inverses(starts, places, inverse), True
        cells.value, slope, by_fraction = exact.gradients(starts, places)
        cells.gradients[:] = 1
        going = np.flatnonzero(np.isfinite(cells.value) & np.isfinite(slope).all(axis=1))
        for _ in range(CORRECTIONS):
            if not going.size:
                break
            lacks = cells.value[going], slope[going], by_fraction[going]
            ends, is_known = self._corrected(cells.a[going], cells.inverse[going], lacks, places[going])
            promised = cells.value[going] - ends.value
            is_done = is_known & (promised < PROMISED) & ends.converged
            cells.inverse[going[is_known]] = ends.inverse[is_known]
            cells.distance[going[is_done]] = np.maximum(promised[is_done], 0.0) + ends.distance[is_done]
            cells.status[going[is_done]] = CONVERGED
            report(int((cells.status == CONVERGED).sum()))
            goes_on = is_known & (promised > 0.0) & ~is_done
            trying, step = going[goes_on], ends.a[goes_on] - cells.a[going[goes_on]]
            accepted = []
            for share in SHARES:
                if not trying.size:
                    break
                trial = cells.a[trying] + share * step
                new = exact.gradients(trial, places[trying])
                cells.gradients[trying] += 1
                is_lower = np.isfinite(new[1]).all(axis=1) & (new[0] < cells.value[trying])
                lower = trying[is_lower]
                cells.a[lower], cells.value[lower] = trial[is_lower], new[0][is_lower]
                slope[lower], by_fraction[lower] = new[1][is_lower], new[2][is_lower]
                accepted.append(lower)
                trying, step = trying[~is_lower], step[~is_lower]
            going = np.sort(np.concatenate(accepted)) if accepted else going[:0]
        left = np.flatnonzero(cells.status != CONVERGED)
        if left.size:
            new = self.exact.descended(places[left], cells.a[left], cells.inverse[left])
            new.gradients += cells.gradients[left]
            cells.put(left, new)
        is_out = exact.outside(exact.scaled(cells.a, places))[0]
        cells.status[is_out & (cells.status != UNCONVERGED)] = OUTSIDE
        cells.value[cells.status == OUTSIDE] = np.inf
        return cells

    def _inverses(self, a: np.ndarray, places: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        found, hessians = inverse.copy(), self.cheap.hessians(a, places)
        for k in np.flatnonzero(np.isfinite(hessians).all(axis=(1, 2))):
            found[k] = inverted(hessians[k], LEAST_CURVATURE)
        return found

    def _corrected(self, a, inverse, exact, places) -> tuple[Ends, np.ndarray]:
        """Minima of the cheap likelihood with what it lacks of the `exact` value, slope and slope by fractions at `a`
        (n, m); and where there is a cheap likelihood at all.
        """
        cheap = self.cheap.around
        lacks = [x - y for x, y in zip(exact, cheap.gradients(a, places), strict=True)]
        is_known = np.isfinite(lacks[0]) & np.isfinite(lacks[1]).all(axis=1)

        def evaluate(which, points):
            value, slope, by_fraction = cheap.gradients(points, places[which])
            along = np.sum(lacks[1][which] * (points - a[which]), axis=1)
            return value + lacks[0][which] + along, slope + lacks[1][which], by_fraction + lacks[2][which]

        return descend_from(evaluate, a, inverse, cheap.angular, TOLERANCE, ROUNDS), is_known
