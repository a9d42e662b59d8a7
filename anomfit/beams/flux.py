"""Neutrino fluxes: linear between bin centres, corners rounded, integral restored; several beams side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.errors import InputError
from anomfit.physics.corners import ROUNDING, rounded


@dataclass(frozen=True)
class Target:
    """A scatterer in a molecule of the detector: `count` of them; spin-0 nuclei scatter coherently."""

    name: str  # "proton", "neutron" or "C12"
    mass: float  # GeV
    count: float
    protons: int
    neutrons: int

    @property
    def is_nucleus(self) -> bool:
        """Whether the target scatters as a whole, with a nuclear form factor."""
        return self.protons + self.neutrons > 1


@dataclass(frozen=True)
class Beam:
    """Fluxes that share a target: leaves are numbers, the composition of the molecule is static.

    flux: knots, 1/cm^2/POT/GeV, at first + step * index; exposure: POT x molecules, one a beam.
    """

    flux: Float[Array, "knots beams"]
    first: Float[Array, ""]
    step: Float[Array, ""]
    exposure: Float[Array, "beams"]
    composition: tuple[Target, ...]

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


jax.tree_util.register_dataclass(Beam, data_fields=["flux", "first", "step", "exposure"], meta_fields=["composition"])


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
    return Beam(
        flux=jnp.stack([jnp.asarray(k[0]) for k in knots], axis=-1),
        first=jnp.asarray(first),
        step=jnp.asarray(step),
        exposure=jnp.asarray(exposures, dtype=float),
        composition=composition,
    )
