"""Whether the parts of a loaded result fit together: names, shapes, and draws that are numbers."""

from collections.abc import Iterable

import numpy as np

from anomfit.inference.sample.chains import Samples
from anomfit.parameters import PRIORS
from anomfit.results.result import Result, Spectrum

KINDS = (*PRIORS, "pull")


def is_whole(result: Result) -> bool:
    """True where every part names the same coordinates, tables have a row a bin, and draws are finite."""
    names = [c.name for c in result.provenance.coordinates]
    whole = len(set(names)) == len(names) and all(c.prior in KINDS for c in result.provenance.coordinates)
    whole &= all(_is_spectrum(spectrum) for spectrum in result.spectra)
    whole &= all(entry.name in names for entry in result.minos)
    if result.log_likelihood is not None:
        whole &= _is_drawn(result.log_likelihood, len(result.provenance.measurements))
    if result.fit is not None:
        points = (result.fit.point, *(optimum.values for optimum in result.fit.optima))
        whole &= all(sorted(point) == sorted(names) for point in points)
    if result.hesse is not None:
        whole &= set(result.hesse.names) <= set(names) and _is_square(result.hesse.covariance, result.hesse.names)
        whole &= _is_square(result.hesse.hessian, result.hesse.names)
        whole &= all(set(result.hesse.names) == set(table) for table in (result.hesse.low, result.hesse.high))
    if result.samples is not None:
        whole &= _are_draws(result.samples, names)
    return bool(whole)


def _are_draws(samples: Samples, names: list[str]) -> bool:
    shape = samples.z.shape[:2]
    values = samples.values.values()
    return (
        list(samples.values) == names
        and [entry.name for entry in samples.diagnostics] == names
        and samples.z.size > 0
        and _is_table(samples.z, (*shape, len(names)))
        and all(_is_table(table, shape) for table in (*values, *samples.derived.values()))
        and all(table.shape == shape and table.dtype.kind in "fib" for table in samples.stats.values())
        and all(np.all(np.isfinite(table)) for table in (samples.z, *values))
    )


def _is_spectrum(spectrum: Spectrum) -> bool:
    bins = len(spectrum.bins)
    drawn = [table for table in (spectrum.predictive, spectrum.replicas) if table is not None]
    rows: Iterable[np.ndarray] = (spectrum.pulls, *spectrum.best_fit.values())
    return (
        bins > 0
        and bool(spectrum.best_fit)
        and all(_is_table(row, (bins,)) for row in rows)
        and all(_is_drawn(table, bins) for table in drawn)
    )


def _is_drawn(table: np.ndarray, columns: int) -> bool:
    return table.ndim == 3 and _is_table(table, (*table.shape[:2], columns))


def _is_square(table: np.ndarray, names: tuple[str, ...]) -> bool:
    return table.shape == (len(names), len(names))


def _is_table(table: np.ndarray, shape: tuple[int, ...]) -> bool:
    return table.shape == shape and table.dtype.kind == "f" and table.dtype.itemsize == 8
