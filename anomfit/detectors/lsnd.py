"""LSND's response to an electron or a pair: energy, reconstructed L/E and angle. NumPy tables; energies in GeV."""

import math
from itertools import pairwise

import jax.numpy as jnp
import numpy as np
from scipy.special import eval_legendre, ndtr

from anomfit.data import load_record
from anomfit.detectors.energy_table import EnergyTable, tabulate
from anomfit.detectors.pairs import ANGLE_WIDTH, Lepton, Selection
from anomfit.detectors.resolution import normal_cdf
from anomfit.errors import reject
from anomfit.physics.quadrature import unit_legendre

HIGHEST, POINTS = 0.260, 193  # GeV, above the end of the flux; the step is a third of the energy resolution
WINDOW = (0.020, 0.060)  # GeV, electron energies of the oscillation search
NEUTRINO_OFFSET = 0.0018  # GeV: reconstructed E_nu = E_e + 1.8 MeV (inverse beta decay)
DISTANCES = 48  # nodes in the distance to the beam stop


def _separate_rings(pair: Lepton):
    # two rings are told apart when the opening angle exceeds twice the direction resolution of an electron; our choice
    sigma = math.radians(load_record("lsnd/experiment").values["angle_resolution"])
    return normal_cdf((pair.opening - 2.0 * sigma) / math.hypot(sigma, ANGLE_WIDTH))


RINGS = {
    "sum": "both showers together: all the light of the event",
    "ring": "the leading lepton alone where the opening angle exceeds 24 degrees (twice the direction resolution; "
    "smoothed with it), else the sum",
}
RING = Selection("ring", RINGS["ring"], lambda pair: 1.0 - _separate_rings(pair), _separate_rings)


def check_ring(name: str) -> str:
    """The way a pair is seen, one of RINGS; another is refused."""
    if name not in RINGS:
        raise reject("pair", name, f"use one of {', '.join(RINGS)}")
    return name


def resolution(energy: np.ndarray) -> np.ndarray:
    """sigma_E in GeV."""
    return load_record("lsnd/experiment").values["energy_resolution"] * np.sqrt(energy)


def energy_response(energy: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """P(measured energy between low and high | true energy): (energies, bins)."""
    sigma = resolution(energy)[:, None]
    return ndtr((high - energy[:, None]) / sigma) - ndtr((low - energy[:, None]) / sigma)


def energy_bins(low: np.ndarray, high: np.ndarray) -> EnergyTable:
    """The table for bins of measured energy, edges in GeV."""
    return tabulate(lambda energy: energy_response(energy, np.asarray(low), np.asarray(high)), HIGHEST, POINTS)


def path_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Distances in m and their shares: uniform in the tank, with the flux's 1/L^2."""
    values = load_record("lsnd/experiment").values
    return inverse_square(values["nearest"], values["farthest"], DISTANCES)


def inverse_square(nearest: float, farthest: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes in (nearest, farthest) and weights of a density proportional to 1/L^2, sum 1."""
    u, w = unit_legendre(n)
    length = nearest + (farthest - nearest) * u
    share = w / length**2
    return length, share / share.sum()


def l_over_e_response(energy: np.ndarray, length: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """P(reconstructed L/E in a bin and measured energy in WINDOW | true energy, distance): (..., bins).

    Bin edges in m/GeV; the distance is taken as exact (14 cm of 30 m).
    """
    e_high = np.clip(length[..., None] / low - NEUTRINO_OFFSET, *WINDOW)
    e_low = np.clip(length[..., None] / high - NEUTRINO_OFFSET, *WINDOW)
    sigma = resolution(energy)[..., None]
    return ndtr((e_high - energy[..., None]) / sigma) - ndtr((e_low - energy[..., None]) / sigma)


def l_over_e_bins(low: np.ndarray, high: np.ndarray) -> EnergyTable:
    """The table for bins of L/E (m/GeV), folded with the distances."""
    length, share = path_nodes()

    def response(energy):
        each = l_over_e_response(energy[:, None], length[None, :], np.asarray(low), np.asarray(high))
        return np.einsum("l,elb->eb", share, each)

    return tabulate(response, HIGHEST, POINTS)


def angle_table(edges: np.ndarray, waves: int) -> np.ndarray:
    """Matrix (waves, bins) from Legendre moments of the true direction to counts in bins of cos theta.

    The direction resolution, a Gaussian on the sphere, multiplies wave l by exp(-l (l + 1) sigma^2 / 2).
    """
    sigma = math.radians(load_record("lsnd/experiment").values["angle_resolution"])
    x, w = unit_legendre(waves)
    wave = np.arange(waves)
    columns = []
    for low, high in pairwise(edges):
        cosine = low + (high - low) * x
        columns.append((high - low) * (w @ eval_legendre(wave[None, :], cosine[:, None])))
    return (wave + 0.5)[:, None] * np.stack(columns, axis=1) * np.exp(-0.5 * wave * (wave + 1) * sigma**2)[:, None]


def fiducial_spheres() -> tuple[float, float]:
    """Radii in m of the spheres with the volumes of the fiducial cylinder and of the tank."""
    values = load_record("lsnd/experiment").values
    radius, length, cut = 0.5 * values["tank_diameter"], values["tank_length"], values["fiducial_distance"]
    return tuple(
        float((0.75 * r**2 * h) ** (1.0 / 3.0)) for r, h in ((radius - cut, length - 2.0 * cut), (radius, length))
    )  # type: ignore[return-value]


def flight_length(energy, mass, decay_length_per_momentum):
    """Flight length in m of h' of `energy` and `mass` (GeV); 0 below its mass."""
    return decay_length_per_momentum * jnp.sqrt(jnp.maximum(energy**2 - mass**2, 0.0) + 1e-24)
