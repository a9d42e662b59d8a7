"""When is an e+e- pair seen as one electron-like shower? Smooth acceptances, and what the detector then sees.

No collaboration efficiency for pairs exists; the recipes are those of the literature, each cut smoothed with the
resolution of the quantity it cuts on. A pair is seen as the sum of both showers (they overlap) or as its leading lepton
(asymmetric).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.data import load_record
from anomfit.detectors.resolution import normal_cdf
from anomfit.errors import reject
from anomfit.physics.constants import M_E
from anomfit.physics.corners import interpolate
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.quadrature import normal_hermite, unit_legendre

# Widths that smooth the cuts: the opening angle with the direction resolution of one shower (2.8 degrees,
# arXiv:0704.1500), the 30 MeV lepton threshold and the pair's mass with 15 % (energy resolution at the Michel endpoint;
# the pi0 mass peak).
ANGLE_WIDTH = math.radians(2.8)
THRESHOLD, THRESHOLD_WIDTH = 0.030, 0.0045
MASS_WIDTH = 0.15
KELLY_KOPP_WIDTH = 0.10
SHOWER_WIDTH = 0.115  # of a measured energy; `detectors.resolution`


class Lepton(NamedTuple):
    """A decay of the pair: energies of the leading and the other lepton, their opening angle and the pair's mass."""

    leading: Float[Array, "..."]
    other: Float[Array, "..."]
    opening: Float[Array, "..."]
    mass: Float[Array, ""]


class Seen(NamedTuple):
    """Ways in which a pair of given energy is seen: weights and visible energies in GeV.

    The weights add up to the probability over the efficiency for one shower of the pair's energy. quadrupole: what they
    change by for leptons with the density 1 + P_2(cos) to the pair's flight; None where that is not asked for.

    tilt: sin^2 of the angle between the visible shower and the pair, averaged over the ways. arrives: of the pairs of
    each component that are made, how many decay where they are seen, by what the result is split into, and by the
    few of `ParentFlight` where parents fly; None where that is in the weights.
    """

    weight: Float[Array, "... ways"]
    energy: Float[Array, "... ways"]
    tilt: Float[Array, "..."]
    arrives: Float[Array, "split component *few energies"] | None = None
    quadrupole: Float[Array, "... ways"] | None = None

    def times(self, factor: Float[Array, "..."]) -> "Seen":
        """The same with all weights multiplied."""
        quadrupole = None if self.quadrupole is None else self.quadrupole * factor[..., None]
        return self._replace(weight=self.weight * factor[..., None], quadrupole=quadrupole)


@dataclass(frozen=True)
class Selection:
    """A recipe: probabilities to be seen as the sum and as the leading lepton alone."""

    name: str
    words: str
    as_sum: Callable[[Lepton], Float[Array, "..."]]
    as_leading: Callable[[Lepton], Float[Array, "..."]]


def _overlaps(degrees: float):
    return lambda pair: normal_cdf((math.radians(degrees) - pair.opening) / ANGLE_WIDTH)


def _is_asymmetric(pair: Lepton):
    soft = normal_cdf((THRESHOLD - pair.other) / THRESHOLD_WIDTH)
    return soft * normal_cdf((pair.leading - THRESHOLD) / THRESHOLD_WIDTH)


def _passes_mass_cut(pair: Lepton):
    # gamma-gamma mass cut of the nu_e selection: Patterson, thesis, Princeton 2007; GeV
    energy = pair.leading + pair.other
    cut = 0.03203 + 0.007417 * energy + 0.02738 * energy**2
    return normal_cdf((cut - pair.mass) / (MASS_WIDTH * cut))


def _overlap_or_asymmetric(degrees: float, mass_cut: bool):
    keep = _passes_mass_cut if mass_cut else (lambda pair: 1.0)
    overlaps = _overlaps(degrees)
    return (
        lambda pair: keep(pair) * overlaps(pair),
        lambda pair: keep(pair) * (1.0 - overlaps(pair)) * _is_asymmetric(pair),
    )


def _light_or_narrow(pair: Lepton):
    return 1.0 - (1.0 - _light(pair)) * (1.0 - _overlaps(5.0)(pair))


def _light(pair: Lepton):
    return normal_cdf((0.030 - pair.mass) / (MASS_WIDTH * 0.030))


def _kelly_kopp(pair: Lepton):
    # r_circle1, tuning a, of Table II; smoothed with 10 % of itself
    energy = pair.leading + pair.other
    cut = interpolate(energy, *_kelly_kopp_cut())
    radius = jnp.sqrt(0.25 * (1.0 - jnp.cos(pair.opening)) ** 2 + (pair.other / energy) ** 2 + 1e-12)
    return normal_cdf((cut - radius) / (KELLY_KOPP_WIDTH * cut))


@lru_cache
def _kelly_kopp_cut():
    """Energies (GeV) and the mean of the cut there: the table is in measured energy, and its bins scatter by more than
    they fall. The edge values hold outside of it.
    """
    table = load_record("miniboone/two_shower_cut_2210.08021").columns
    centres = 0.5 * (table["Evis_lo_GeV"] + table["Evis_hi_GeV"])
    pulls, weight = normal_hermite(64)
    energies = np.geomspace(0.1, 1.6, 40)
    measured = energies[:, None] * (1.0 + SHOWER_WIDTH * pulls)
    return energies, np.interp(measured, centres, table["r_circle1_a"]) @ weight


def _none(pair: Lepton):
    return jnp.zeros_like(pair.opening)


SELECTIONS = {
    selection.name: selection
    for selection in (
        Selection(
            "overlap-13-mass",
            "opening angle below 13 degrees or one lepton below 30 MeV, and a pair-mass cut from 32 MeV, rising",
            *_overlap_or_asymmetric(13.0, mass_cut=True),
        ),
        Selection(
            "overlap-13",
            "opening angle below 13 degrees or one lepton below 30 MeV",
            *_overlap_or_asymmetric(13.0, False),
        ),
        Selection(
            "overlap-8", "opening angle below 8 degrees or one lepton below 30 MeV", *_overlap_or_asymmetric(8.0, False)
        ),
        Selection(
            "overlap-5", "opening angle below 5 degrees or one lepton below 30 MeV", *_overlap_or_asymmetric(5.0, False)
        ),
        Selection(
            "kelly-kopp",
            "the pi0-tuned one-ring cut of arXiv:2210.08021; not meant for pairs below 80 MeV",
            _kelly_kopp,
            _none,
        ),
        Selection(
            "light-or-5",
            "pair mass below 30 MeV or opening angle below 5 degrees (arXiv:2010.06159)",
            _light_or_narrow,
            _none,
        ),
    )
}


def _light_or_overlaps(pair: Lepton):
    return 1.0 - (1.0 - _light(pair)) * (1.0 - _overlaps(8.0)(pair))


LIGHT_OR_8 = Selection(
    "light-or-8",
    "pair mass below 30 MeV, opening angle below 8 degrees or one lepton below 30 MeV (arXiv:2006.01948)",
    _light_or_overlaps,
    lambda pair: (1.0 - _light_or_overlaps(pair)) * _is_asymmetric(pair),
)
"""Of one paper alone, for its own numbers: no choice of a measurement."""


def find_selection(name: str) -> Selection:
    """The selection of that name."""
    if name not in SELECTIONS:
        raise reject("selection", name, f"use one of {', '.join(SELECTIONS)}")
    return SELECTIONS[name]


def see_pairs(energy, mass, selection: Selection, relative_efficiency, is_aligned: bool = False) -> Seen:
    """Average over an isotropic decay to e+e- of what the detector sees; energies of any shape, `mass` a scalar, GeV.

    `relative_efficiency(visible, whole)` is the efficiency for a shower of the visible energy over that for one of the
    pair's; the latter multiplies the result where events are weighted. is_aligned: whether `quadrupole` is asked for.
    """
    share, pair, quadrupole = _decays(energy, mass)
    together = pair.leading + pair.other
    as_sum = share * selection.as_sum(pair)
    as_leading = share * selection.as_leading(pair) * relative_efficiency(pair.leading, together)
    probability = jnp.sum(as_sum + as_leading, axis=-1)
    tilted = jnp.sum(as_leading * _leading_tilt(pair), axis=-1)
    is_seen = probability > 1e-30
    tilt = jnp.where(is_seen, tilted / jnp.where(is_seen, probability, 1.0), 0.0)

    def by_way(moment):
        return jnp.concatenate([jnp.sum(moment * as_sum, axis=-1, keepdims=True), moment * as_leading], axis=-1)

    visible = jnp.concatenate([together[..., :1], pair.leading], axis=-1)
    return Seen(by_way(1.0), visible, tilt, quadrupole=by_way(quadrupole) if is_aligned else None)


def _decays(energy, mass):
    """Weights, leptons and P_2 over the decay angle, in two pieces: the other lepton above and below 45 MeV."""
    momentum = safe_sqrt(energy**2 - mass**2)
    reach = safe_sqrt(1.0 - (2.0 * M_E / mass) ** 2) * momentum / energy  # asymmetry at cos theta* = 1
    split = jnp.clip((1.0 - 0.09 / energy) / jnp.maximum(reach, 1e-9), 0.0, 1.0)[..., None]
    x_hard, w_hard = unit_legendre(12)
    x_soft, w_soft = unit_legendre(10)
    x = jnp.concatenate([split * x_hard, split + (1.0 - split) * x_soft], axis=-1)
    share = jnp.concatenate([split * w_hard, (1.0 - split) * w_soft], axis=-1)
    half = 0.5 * energy[..., None]
    leading, other = half * (1.0 + reach[..., None] * x), half * (1.0 - reach[..., None] * x)
    return share, Lepton(leading, other, _opening_angle(leading, other, mass), mass), 1.5 * x**2 - 0.5


def _opening_angle(leading, other, mass):
    """From m^2 = 2 m_e^2 + 2 (E1 E2 - p1 p2 cos), written without the cancellation at high energy."""
    p1, p2 = safe_sqrt(leading**2 - M_E**2), safe_sqrt(other**2 - M_E**2)
    excess = M_E**2 * (leading**2 + other**2 - M_E**2) / (leading * other + p1 * p2)
    product = jnp.maximum(p1 * p2, 1e-12)
    sine_squared = jnp.clip(
        (0.5 * mass**2 - M_E**2 - excess) / (2.0 * product), 1e-12, 1.0 - 1e-12
    )  # of half the angle
    return 2.0 * jnp.arcsin(jnp.sqrt(sine_squared))


def _leading_tilt(pair: Lepton):
    """sin^2 of the angle between the leading lepton and the pair: (p_2 sin Theta / p_pair)^2."""
    p2 = safe_sqrt(pair.other**2 - M_E**2)
    p_squared = jnp.maximum((pair.leading + pair.other) ** 2 - pair.mass**2, 1e-12)
    return (p2 * jnp.sin(pair.opening)) ** 2 / p_squared
