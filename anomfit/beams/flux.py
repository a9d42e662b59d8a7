"""Neutrino fluxes: linear between bin centres, corners rounded, integral restored; several beams side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.errors import InputError
from anomfit.physics.corners import ROUNDING, rounded
from anomfit.physics.targets import Target


@dataclass(frozen=True)
class Beam:
    """Fluxes that share a target: leaves are numbers, the composition of the molecule is static.

    flux: knots, 1/cm^2/POT/GeV, at first + step * index; exposure: POT x molecules, one a beam. surroundings: what is
    around the detector, in the mass of one molecule of it; empty where pairs from outside are not asked for.
    """

    flux: Float[Array, "knots beams"]
    first: Float[Array, ""]
    step: Float[Array, ""]
    exposure: Float[Array, "beams"]
    composition: tuple[Target, ...]
    surroundings: tuple[Target, ...] = ()

    @property
    def scatterers(self) -> tuple[Target, ...]:
        """Everything that scatters in the detector or around it, each once, with a count of 1."""
        return tuple(dict.fromkeys(target.alone for target in (*self.composition, *self.surroundings)))

    def counts(self) -> Float[np.ndarray, "component targets"]:
        """How many of each of the scatterers a component of a rate has, for one molecule or its mass: coherent and
        incoherent in the detector and, if there are surroundings, everything in these.
        """
        nuclei = tuple(target for target in self.composition if target.is_nucleus)
        nucleons = tuple(target for target in self.composition if not target.is_nucleus)
        parts = (nuclei, nucleons, self.surroundings) if self.surroundings else (nuclei, nucleons)
        scatterers = self.scatterers
        table = np.zeros((len(parts), len(scatterers)))
        for row, part in zip(table, parts, strict=True):
            for target in part:
                row[scatterers.index(target.alone)] += target.count
        return table

    @property
    def highest_energy(self) -> Float[Array, ""]:
        """GeV, where the flux ends."""
        return self.first + self.step * (self.flux.shape[0] - 1)

    def flux_at(self, energy: Float[Array, "..."]) -> Float[Array, "... beams"]:
        """Flux in 1/cm^2/POT/GeV at `energy` in GeV; 0, slope 0, outside the table."""
        place = (energy - self.first) / self.step
        last = self.flux.shape[0] - 1
        inside = (place >= 0.0) & (place <= last)
        place = jnp.where(inside, place, 0.0)
        index = jnp.clip(jnp.floor(place).astype(int), 0, last - 1)
        weight = (place - index)[..., None]
        value = (1.0 - weight) * self.flux[index] + weight * self.flux[index + 1]
        knot = jnp.clip(jnp.round(place).astype(int), 1, last - 1)
        bend = self.flux[knot + 1] - 2.0 * self.flux[knot] + self.flux[knot - 1]
        value = value + bend * 0.5 * ROUNDING * rounded(jnp.abs(place - knot) / ROUNDING)[..., None]
        return jnp.where(inside[..., None], value, 0.0)


jax.tree_util.register_dataclass(
    Beam, data_fields=["flux", "first", "step", "exposure"], meta_fields=["composition", "surroundings"]
)


def piecewise_linear(low: np.ndarray, high: np.ndarray, density: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Knots (0 at both ends) through the bin centres of an equidistant histogram, scaled to keep its integral."""
    width = high - low
    if not np.allclose(width, width[0], rtol=1e-6):
        raise InputError("flux: the bins are not equally wide; regrid the table to equal bins")
    step = float(width[0])
    knots = np.concatenate([[0.0], density, [0.0]])
    integral = step * 0.5 * np.sum(knots[1:] + knots[:-1])
    return knots * (np.sum(density) * step / integral), float(low[0] - 0.5 * step), step


def make_beam(
    tables: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    exposures: Sequence[float],
    composition: tuple[Target, ...],
) -> Beam:
    """A beam from histograms (low, high, density) on one common binning, with POT x molecules for each."""
    knots = [piecewise_linear(*table) for table in tables]
    _, first, step = knots[0]
    if any(k[1:] != (first, step) for k in knots):
        raise InputError("flux: the beams have different binnings; give them one common binning")
    with jax.ensure_compile_time_eval():  # beams are kept by their functions, also by one that is called in a trace
        return Beam(
            flux=jnp.stack([jnp.asarray(k[0]) for k in knots], axis=-1),
            first=jnp.asarray(first),
            step=jnp.asarray(step),
            exposure=jnp.asarray(exposures, dtype=float),
            composition=composition,
        )
