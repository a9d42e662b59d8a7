"""Electron + nucleus -> electron + nucleus + light boson: energy spectra, and rates of displaced decays from a dump.

Weizsaecker-Williams approximation, m_boson >> m_e, the boson forward; x = E_boson/E_electron. Only what differs between
a scalar and a vector, or between two couplings at one mass, is kept: the photon flux of the target cancels. Liu and
Miller, arXiv:1705.01633; Bjorken et al., arXiv:0906.0580.
"""

from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike
from scipy.special import gamma

from anomfit.physics.constants import HBAR_C_M, M_E
from anomfit.physics.quadrature import unit_legendre

RADIATION = 4.0 / 3.0
"""b of the straggling of electrons in matter: Tsai, Phys. Rev. D 34 (1986) 1326, used by arXiv:0906.0580."""


DEEPEST = 12.0
"""Depth of a thick target in units of radiation lengths times b: deeper electrons have lost their energy."""


STEP, MASSES = 0.1, 96
"""Grid of ln(m_e/m) on which yields are tabulated, from m_e to 7 GeV; linear between, better than 1e-3."""


class Dump(NamedTuple):
    """Electron energy and threshold (GeV), shield and decay length (m)."""

    beam: float
    shield: float
    decay: float
    lowest: float


def vector_spectrum(x):
    """x-dependence of d sigma/dx for a vector with coupling eps e, times m_V^2 (1 - x)/x: 4 - 4x + 4x^2/3.

    The integral over angles of A(vector)/u^2, arXiv:1705.01633 with m_e -> 0; arXiv:0906.0580 equation A14.
    """
    return 4.0 - 4.0 * x + 4.0 * x**2 / 3.0


def scalar_spectrum(x):
    """The same for a scalar with coupling y = eps e: 2 x^2/3, at most half of a vector's, and only at large x."""
    return 2.0 * x**2 / 3.0


def displaced_rate(spectrum, m: ArrayLike, squared_coupling: ArrayLike, width: ArrayLike, dump: Dump, nodes: int = 24):
    """Relative number of bosons of mass m that decay between shield and detector with energy above the threshold.

    squared_coupling is (y/e)^2 or eps^2, `width` the total width (GeV). A thick target: electrons of every energy, with
    the track length of Tsai's straggling; d sigma/dx = spectrum(x) x/(m^2 (1 - x + m_e^2 x^2/m^2)). Rates at different
    masses are not comparable (the photon flux of the target and the angular acceptance are left out). `spectrum` is one
    of the two above, static. m above 2 m_e.
    """
    energy, made = produced_spectrum(spectrum, m, dump, nodes)
    momentum = jnp.sqrt(jnp.maximum(energy**2 - m**2, 1e-12))
    length = momentum / m * HBAR_C_M / width
    survives = jnp.exp(-dump.shield / length) * -jnp.expm1(-dump.decay / length)
    return squared_coupling / m**2 * jnp.sum(made * survives)


def produced_spectrum(spectrum, m: ArrayLike, dump: Dump, nodes: int = 24):
    """Energies (GeV) above the threshold, and the relative number of bosons at each, times m^2 at a coupling of 1."""
    energy, weight, made = _production(spectrum, dump, nodes)
    place = jnp.clip(jnp.log(M_E / m) / STEP + len(made) - 1.0, 0.0, len(made) - 1.001)
    low = jnp.floor(place).astype(int)
    table = jnp.asarray(made)
    at_mass = (low + 1.0 - place) * table[low] + (place - low) * table[low + 1]
    return energy, weight * at_mass


@lru_cache(maxsize=64)
def _production(spectrum, dump: Dump, nodes: int):
    """Boson energies E, weights dE/E_0, and the yield by m_e/m (a grid in its logarithm) and energy; NumPy, once.

    Electrons of energy E_0 exp(-L) after t radiation lengths: L^(s - 1)/Gamma(s) dL with s = b t. For each s the power
    is taken into the variable y = (L/L_max)^s = 1 - z^4, whose nodes are dense where x = 1.
    """
    u, w = unit_legendre(2 * nodes)
    span = np.log(dump.beam / dump.lowest)
    energy = dump.lowest * np.exp(span * u)
    reach = (span * (1.0 - u))[:, None, None]
    v, w_depth = unit_legendre(nodes)
    s = (DEEPEST * v)[:, None]
    z, w_loss = unit_legendre(nodes)
    shrink = np.exp(np.log1p(-(z**4)) / s)
    lost = reach * (1.0 - shrink)
    x = np.exp(-lost)
    tracks = reach**s / gamma(s + 1.0) * (DEEPEST / RADIATION * w_depth)[:, None] * w_loss * 4.0 * z**3
    weight = tracks * spectrum(x) * x
    ratios = np.exp(STEP * np.arange(-MASSES + 1, 1))
    made = [np.sum(weight / (-np.expm1(-lost) + (ratio * x) ** 2), axis=(-1, -2)) for ratio in ratios]
    return energy, w * span * energy / dump.beam, np.stack(made)
