"""A user's own data without code: a CSV file, and the measurement whose beam, target and detector they were taken with.

    [measurements."my.csv"]
    like = "microboone"        # or miniboone:evis, which can be binned anew; or a moment: g-2-muon, g-2-electron
    exposure = 1.3e21          # protons on target; of a spectrum
    covariance = "cov.csv"     # optional, beside the file: the covariance of data - background, a row a bin

A spectrum has the columns "E [GEV] LOW" and "E [GEV] HIGH", the data, and, if there is one, "background"; a moment has
one row. Errors are columns that end in " +" and " -", or one named "error" (`anomfit.hepdata_csv`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.capabilities import Needs
from anomfit.errors import InputError, quoted, reject
from anomfit.hepdata_csv import CsvTable, energy_scale, errors_of, read_csv_table
from anomfit.measurements.base import Bin, ChoosesNuisances, Measurement, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.lepton_moments import Label, LeptonMoment
from anomfit.parameters import Nuisance, Point
from anomfit.statistics.terms import gaussian_log_likelihood, minus_two
from anomfit.statistics.throws import correlated_gaussian, two_sided_gaussian


@runtime_checkable
class Rebins(Measurement, Protocol):
    """A measurement whose prediction can be made for other bins and another exposure."""

    @property
    def protons_on_target(self) -> float:
        """The exposure of its own data."""
        ...

    @property
    def signal_nuisances(self) -> tuple[Nuisance, ...]:
        """Those of its nuisances that its prediction depends on."""
        ...

    def with_bins(self, low: Float[np.ndarray, " bins"], high: Float[np.ndarray, " bins"]) -> Self:
        """With bins of the same energy between other ends in GeV; its data lose their meaning."""
        ...


SPECTRA = ("microboone", "miniboone:evis", "miniboone:evis-antineutrino")
OPTIONS = ("like", "exposure", "covariance", "source")


@dataclass(frozen=True)
class OwnSpectrum(HasDescription):
    """Counts of a user's in bins of energy, Gaussian: with a covariance, or with errors below and above the data.

    `like` is the measurement that predicts, in these bins; `scale` the exposure over its own; `covariance`, whose
    inverse stands beside it, is empty
    where the bins are independent.
    """

    data: Float[Array, "bins"]
    background: Float[Array, "bins"]
    sigma_minus: Float[Array, "bins"]
    sigma_plus: Float[Array, "bins"]
    covariance: Float[Array, "bins bins"]
    inverse: Float[Array, "bins bins"]
    scale: Float[Array, ""]
    like: Any
    name: str
    described: Described

    @property
    def accepts(self) -> tuple[Needs, ...]:
        """What the measurement that it is like accepts."""
        return self.like.accepts

    @property
    def samples(self) -> frozenset[str]:
        """The file alone: the same events under another name are not known to be so."""
        return frozenset({f"own data {self.name}"})

    @property
    def references(self) -> tuple[str, ...]:
        """Those of beam, target, response and efficiency."""
        return self.like.references

    @property
    def nuisances(self) -> tuple[Nuisance, ...]:
        """Those of beam and detector; the uncertainty of the background is in the errors."""
        return self.like.signal_nuisances

    def nuisances_for(self, model: object) -> tuple[Nuisance, ...]:
        """Those of them that this model's prediction depends on."""
        if not isinstance(self.like, ChoosesNuisances):
            return self.nuisances
        chosen = {nuisance.name for nuisance in self.like.nuisances_for(model)}
        return tuple(nuisance for nuisance in self.nuisances if nuisance.name in chosen)

    @property
    def independent_numbers(self) -> int:
        """One a bin."""
        return self.data.size

    def bins(self) -> list[Bin]:
        """Data and background; errors: the mean of both sides."""
        error = 0.5 * (np.asarray(self.sigma_minus) + np.asarray(self.sigma_plus))
        rows = zip(self.described.labels, np.asarray(self.data), np.asarray(self.background), error, strict=True)
        return [Bin(*label, float(n), float(b), float(e)) for label, n, b, e in rows]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """The signal of `like` in these bins, at this exposure."""
        found = self.like.predict(model, point, nuisances)
        return Prediction(*({name: self.scale * x for name, x in parts.items()} for parts in found))

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """A Gaussian, up to a constant."""
        residual = prediction.total + self.background - self.data
        if self.covariance.size:
            return -0.5 * residual @ self.inverse @ residual
        return jnp.sum(gaussian_log_likelihood(residual, self.sigma_minus, self.sigma_plus))

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """-2 ln L."""
        return minus_two(self.log_likelihood(prediction, nuisances))

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """(data - background - signal) over the error on the prediction's side."""
        residual = prediction.total + self.background - self.data
        return -residual / jnp.where(residual > 0.0, self.sigma_plus, self.sigma_minus)

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "OwnSpectrum":
        """Other data with the same errors."""
        expected = prediction.total + self.background
        if self.covariance.size:
            return replace(self, data=correlated_gaussian(key, expected, self.covariance))
        return replace(self, data=two_sided_gaussian(key, expected, self.sigma_minus, self.sigma_plus))


jax.tree_util.register_dataclass(
    OwnSpectrum,
    data_fields=["data", "background", "sigma_minus", "sigma_plus", "covariance", "inverse", "scale", "like"],
    meta_fields=["name", "described"],
)


def load_own_data(path: Path, options: Mapping[str, str], find: Callable[[str], Measurement]) -> Measurement:
    """The measurement of a CSV file, named by the file's stem; `options` as above, all of them text.

    find: gives the measurement that it is like by its name.

    Raises InputError for an option that is missing, unknown or without sense, for a measurement that cannot be binned
    anew, and for a file without what is needed.
    """
    for name in options:
        if name not in OPTIONS:
            raise reject(f"{path.name}.{name}", options[name], f"own data have {', '.join(OPTIONS)}")
    like = find(options["like"])
    table = read_csv_table(path)
    if isinstance(like, LeptonMoment):
        return _moment(table, like, options)  # type: ignore[return-value]  # as the catalogue's
    if not isinstance(like, Rebins):
        words = f"it cannot be binned anew; use {', '.join(SPECTRA)}, g-2-muon or g-2-electron"
        raise reject(f"{path.name}.like", options["like"], words)
    return _spectrum(table, like, options)


def _moment(table: CsvTable, like: LeptonMoment, options: Mapping[str, str]) -> LeptonMoment:
    for name in ("exposure", "covariance"):
        if name in options:
            raise reject(f"{table.path.name}.{name}", options[name], f"{like.name} has none; leave it out")
    if len(table.rows) != 1:
        raise table.fault(f"a moment is one number, and it has {len(table.rows)} rows; keep one")
    value = table.columns[0]
    below, above = errors_of(table, value, table.columns[1:])
    label = Label("own", options.get("source", table.path.name), ())
    return LeptonMoment(
        value=jnp.asarray(table.column(value)[0]),
        sigma_minus=jnp.asarray(below[0]),
        sigma_plus=jnp.asarray(above[0]),
        lepton=like.lepton,
        label=label,
    )


def _spectrum(table: CsvTable, like: Rebins, options: Mapping[str, str]) -> OwnSpectrum:
    low, high = (_edges(table, end) for end in ("LOW", "HIGH"))
    if np.any(high <= low) or np.any(low < 0.0):
        raise table.fault("a bin in it ends before it begins; give the lower end in the column LOW")
    taken = [name for name in table.columns if name.upper().endswith((" LOW", " HIGH"))]
    energy = {name.rsplit(" ", 1)[0] for name in taken}
    plain = [name for name in table.columns if name not in {*taken, *energy, "background"}]
    if not plain:
        raise table.fault("it has no data; add a column of them behind the bins")
    value = plain[0]
    exposure = _exposure(table.path, options)
    covariance = _covariance(table, options)
    if covariance.size:
        below = above = np.sqrt(np.diag(covariance))
    else:
        below, above = errors_of(table, value, plain[1:])
    if not np.all((below > 0.0) & (above > 0.0)):
        raise table.fault("an error in it is 0; give every number an error")
    background = table.column("background") if "background" in table.columns else np.zeros(len(low))
    stated = {
        "like": f"beam, target, response and efficiency are those of {like.name}:{like.era}",
        "exposure": f"{exposure:.4g} protons on target, {exposure / like.protons_on_target:.4g} of {like.name}'s",
        "errors": "Gaussian, with the covariance of the file" if covariance.size else "Gaussian, independent",
        **{key: words for key, words in like.choices.items() if key != "background"},
    }
    quantity = table.quantity(taken[0]) or "energy"
    labels = tuple((quantity, a, b, "GeV") for a, b in zip(low.tolist(), high.tolist(), strict=True))
    return OwnSpectrum(
        data=jnp.asarray(table.column(value)),
        background=jnp.asarray(background),
        sigma_minus=jnp.asarray(below),
        sigma_plus=jnp.asarray(above),
        covariance=jnp.asarray(covariance),
        inverse=jnp.asarray(np.linalg.inv(covariance) if covariance.size else covariance),
        scale=jnp.asarray(exposure / like.protons_on_target),
        like=like.with_bins(low, high),
        name=table.path.stem,
        described=Described("own", options.get("source", table.path.name), tuple(stated.items()), labels),
    )


def _edges(table: CsvTable, end: str) -> Float[np.ndarray, " bins"]:
    """Lower or upper ends of the bins in GeV."""
    found = [name for name in table.columns if name.upper().endswith(f" {end}")]
    if len(found) != 1:
        raise table.fault(f"its bins need one column 'E [GEV] {end}', and it has {len(found)}")
    return energy_scale(table, found[0]) * table.column(found[0])


def _exposure(path: Path, options: Mapping[str, str]) -> float:
    if "exposure" not in options:
        raise InputError(f"{path.name}: it does not say its exposure; add exposure = ..., in protons on target")
    try:
        exposure = float(options["exposure"])
    except ValueError:
        exposure = 0.0
    if not 0.0 < exposure < np.inf:
        raise reject(f"{path.name}.exposure", options["exposure"], "give a number of protons on target, above 0")
    return exposure


def _covariance(table: CsvTable, options: Mapping[str, str]) -> np.ndarray:
    """The covariance of data - background; (0, 0) where none is given."""
    if "covariance" not in options:
        return np.zeros((0, 0))
    found = read_csv_table(table.path.parent / options["covariance"])
    matrix, size = found.rows, len(table.rows)
    if matrix.shape != (size, size):
        raise found.fault(f"it has {matrix.shape[0]} rows of {matrix.shape[1]} numbers for {size} bins; give one a bin")
    if not np.allclose(matrix, matrix.T, rtol=1e-6, atol=0.0) or np.linalg.eigvalsh(matrix).min() <= 0.0:
        raise found.fault(f"it is no covariance of {quoted(table.path.name)}: not symmetric, or not positive definite")
    return matrix
