"""Cells of a plane minimised with the exact likelihood, when a cheap likelihood that nearly agrees with it is at hand.

The cheap one is minimised first. At its minimum the exact one is asked for value and slope, and goes on from there with
the cheap one's second derivatives: where these promise next to nothing, which is so in most cells, one gradient of the
exact likelihood is all that a cell takes. What is kept is the exact likelihood's alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anomfit.inference.cells.profiled import (
    BETTER,
    OUTSIDE,
    ROUNDS,
    UNCONVERGED,
    Cells,
    ProfiledCells,
    as_cells,
)
from anomfit.inference.cells.quasi_newton import descend_from

PROMISED = 5e-3  # of -2 ln L: where the exact slope with the cheap curvature promises less, a cell is done

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
            found.put(known, self.minima(places[known], found.x[known], report))
        blank = np.flatnonzero((found.status != OUTSIDE) & ~np.isfinite(found.value))
        if blank.size:
            found.put(blank, self.exact.first(cells[blank], report))
        return found

    def swept(self, cells: np.ndarray, known: Cells, is_first: bool, report: Report = _quiet) -> Cells:
        """Cells as they are `known`, or as they come out from a neighbour whose point is better there, as the cheap
        likelihood says with what it lacks at the neighbour's own place.
        """
        found, places = known.take(cells), self.exact.places(cells)
        found.changed[:] = False
        rows, others = self.exact.neighbours(cells, known, 1, is_first)
        if not rows.size:
            return found
        sources = np.unique(others)
        lacks = known.value[sources] - self.cheap.around.values(known.x[sources], self.exact.places(sources))
        guessed = self.cheap.around.values(known.x[others], places[rows]) + lacks[np.searchsorted(sources, others)]
        order = np.lexsort((guessed, rows))
        chosen, first = np.unique(rows[order], return_index=True)
        best = order[first]
        failed = found.status[chosen] >= UNCONVERGED
        wanted = np.isfinite(guessed[best]) & (failed | (guessed[best] < found.value[chosen] - BETTER))
        chosen, best = chosen[wanted], best[wanted]
        if chosen.size:
            self.exact.improve(found, chosen, self.minima(places[chosen], known.x[others[best]], report))
        return found

    def minima(self, places: np.ndarray, starts: np.ndarray, report: Report = _quiet) -> Cells:
        """Minima of the exact likelihood from `starts` (n, m) of cells that hold `places`; `gradients` are exact ones.

        A cell that the cheap likelihood's curvature does not settle goes on with that of the exact one.
        """
        near = self.cheap.descended(places, starts, None)

        def evaluate(which, points):
            return self.exact.around.gradients(points, places[which])

        is_known = (near.status != OUTSIDE) & np.isfinite(near.value)
        at = np.where(is_known[:, None], near.x, starts)
        known = np.isfinite(near.hessian).all(axis=(1, 2)) & is_known
        hessians = np.where(known[:, None, None], near.hessian, np.eye(at.shape[1]))
        cells = as_cells(descend_from(evaluate, at, hessians, self.exact.around.limits, PROMISED, ROUNDS, report))
        left = np.flatnonzero(cells.status >= UNCONVERGED)
        if left.size:
            new = self.exact.descended(places[left], cells.x[left], None)
            new.gradients += cells.gradients[left]
            cells.put(left, new)
        is_out = self.exact.around.outside(self.exact.around.scaled(cells.x, places))[0]
        cells.status[is_out & (cells.status != UNCONVERGED)] = OUTSIDE
        cells.value[cells.status == OUTSIDE] = np.inf
        return cells
