"""BaBar's layers and what a heavy neutrino does in them: decays before, in or behind the calorimeter, or escapes.

Lengths in m along the flight, energies in GeV, angles by their cosine. The numbers are those of
data/ee_colliders/babar_monophoton, from memory of hep-ex/0105044.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.data import load_record
from anomfit.errors import reject

GEOMETRIES = {
    "crystals": (
        "calorimeter: what decays along 0.31 m of crystals behind a cylinder of 0.92 m; seen up to a cylinder of 3.04 m"
    ),
    "spheres": "as arXiv:2007.11813: calorimeter between spheres of 0.92 and 1.36 m; seen up to one of 3.04 m",
}


class Layers(NamedTuple):
    """Where the layers begin along a flight, m: calorimeter, what is behind it, the muon system, outside."""

    calorimeter: Float[Array, "..."]
    behind: Float[Array, "..."]
    muon_system: Float[Array, "..."]
    outside: Float[Array, "..."]


class Chances(NamedTuple):
    """Where a particle decays: before the calorimeter, in it, in the coil, in the muon system, nowhere; they sum to 1.

    `coil`: between the calorimeter and the muon system.
    """

    before: Float[Array, "..."]
    calorimeter: Float[Array, "..."]
    coil: Float[Array, "..."]
    muon_system: Float[Array, "..."]
    escapes: Float[Array, "..."]


def check_geometry(geometry: str) -> str:
    """The option of a measurement; an unknown one is refused."""
    if geometry not in GEOMETRIES:
        raise reject("geometry", geometry, f"use one of {', '.join(GEOMETRIES)}")
    return geometry


def detector_numbers():
    """The values of the record."""
    return load_record("ee_colliders/babar_monophoton").parts["detector"].values


def layers(sine: ArrayLike, geometry: str) -> Layers:
    """The layers along a flight at this sine of the polar angle in the laboratory, above 0; see `GEOMETRIES`.

    Cylinders are as long as it takes: good for flights that leave through the barrel (27 to 142 degrees).
    """
    values, sine = detector_numbers(), jnp.asarray(sine)
    if geometry == "spheres":
        whole = jnp.ones_like(sine)
        return Layers(*(values[name] * whole for name in Layers._fields))
    front = values["calorimeter"] / sine
    return Layers(front, front + values["crystal"], values["muon_system"] / sine, values["outside"] / sine)


def chances(length: ArrayLike, at: Layers) -> Chances:
    """Where a particle with this mean length of flight (m, above 0) decays."""
    left = [jnp.exp(-jnp.asarray(edge) / jnp.asarray(length)) for edge in at]
    return Chances(1.0 - left[0], left[0] - left[1], left[1] - left[2], left[2] - left[3], left[3])


class Frame(NamedTuple):
    """The centre of mass seen from the laboratory: Lorentz factor, and velocity along the electron beam."""

    gamma: ArrayLike
    beta: ArrayLike


def frame_of(root_s: float, positron_beam: float) -> Frame:
    """Of head-on beams of massless electrons and positrons, the energy of the latter in GeV: s = 4 E_+ E_-."""
    electron_beam = root_s**2 / (4.0 * positron_beam)
    total = electron_beam + positron_beam
    return Frame(total / root_s, (electron_beam - positron_beam) / total)


def in_laboratory(
    frame: Frame, energy: ArrayLike, momentum: ArrayLike, cosine: ArrayLike
) -> tuple[Array, Array, Array]:
    """(energy, momentum, sine of the polar angle) in the laboratory of a particle given in the centre of mass.

    |cosine| below 1.
    """
    energy, momentum, cosine = (jnp.asarray(x) for x in (energy, momentum, cosine))
    across = momentum * jnp.sqrt(1.0 - cosine**2)
    along = frame.gamma * (momentum * cosine + frame.beta * energy)
    squared = across**2 + along**2
    moves = squared > 0.0  # no light state stands where a closed channel has none
    size = jnp.where(moves, jnp.sqrt(jnp.where(moves, squared, 1.0)), 0.0)
    sine = jnp.where(moves, across / jnp.where(moves, size, 1.0), 1.0)
    return jnp.asarray(frame.gamma * (energy + frame.beta * momentum * cosine)), size, sine


def energy_resolution(energy: ArrayLike) -> Float[Array, "..."]:
    """Standard deviation of the calorimeter, GeV: 2.32 % over the fourth root of E/GeV and 1.85 % in quadrature."""
    values, energy = detector_numbers(), jnp.asarray(energy)
    squared = values["resolution_stochastic"] ** 2 / jnp.sqrt(energy) + values["resolution_constant"] ** 2
    return energy * jnp.sqrt(squared)


def narrow_fraction(
    energy: ArrayLike, m_pair: ArrayLike, alignment: ArrayLike, sine_half_angle: ArrayLike
) -> Float[Array, "..."]:
    """Fraction of pairs of this energy and mass (GeV) whose leptons enclose less than an angle; massless leptons.

    sine_half_angle: sine of half the angle. In the pair's rest frame a lepton has the density (1 + A P_2(cos))/2 to the
    pair's flight, A the alignment; m^2 = 4 E_1 E_2 sin^2(angle/2) with E_1,2 = E (1 +- beta cos)/2.
    """
    energy, m_pair, a = (jnp.asarray(x) for x in (energy, m_pair, alignment))
    ratio = (m_pair / energy) ** 2
    moves = ratio < 1.0
    safe = jnp.where(moves, ratio, 0.5)
    squared = (1.0 - safe / jnp.asarray(sine_half_angle) ** 2) / (1.0 - safe)
    some = moves & (squared > 0.0)
    x = jnp.minimum(jnp.where(some, jnp.sqrt(jnp.where(some, squared, 1.0)), 0.0), 1.0)
    return x + 0.5 * a * (x**3 - x)
