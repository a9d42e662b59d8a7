"""What the poster's model leaves out of phi: K_L -> pi0 N N through a virtual phi, and its exchange with carbon.

    python benchmarks/dark_seesaw_virtual_phi.py [--points 4000]

With s the squared mass of the two heavy or light neutrinos,
    dB/ds = B(K_L -> pi0 phi of mass sqrt s) sqrt s Gamma_phi(sqrt s)/(pi |s - m_phi^2 + i m_phi Gamma_phi|^2).
Below the kaon's reach what is off phi's mass is compared with the real phi's rate, above it all with the rate of a phi
of 135 MeV and the same theta: at koto-A to koto-D, and at points of the prior whose couplings are perturbative.

Exchange: coherent nu + C -> N_j + C of a nucleus without spin. Per Q^2, with m of N_j and M of the nucleus,
    phi: |g_j|^2 g_C^2 F^2 (m^2 + Q^2)/(16 pi E^2 (Q^2 + m_phi^2)^2), g_C = 12 sin theta 0.30 m_nucleon/v, and
    Z': (g_X V_j e epsilon 6)^2 F^2 2 [2 (k.P)(k'.P) - k.k' P^2]/(16 pi (2 M E)^2 (Q^2 + m_Z'^2)^2), P = p + p'.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.models.dark_seesaw_scalar import dark_seesaw_scalar as model
from anomfit.physics.constants import E_CHARGE, V_EW
from anomfit.physics.meson_constants import M_NEUTRAL_KAON, M_NEUTRAL_PION
from anomfit.physics.penguin_decays import penguin_branching_ratio

REACH = M_NEUTRAL_KAON - M_NEUTRAL_PION
NODES = 400
_x, _w = np.polynomial.legendre.leggauss(NODES)
MASSES, WEIGHTS = 0.5 * REACH * (_x + 1.0), 0.5 * REACH * _w
ATOMS, PROTONS, NUCLEUS, RADIUS = 12, 6, 11.178, 2.47 / 0.19733  # carbon; GeV, 1/GeV
IN_NUCLEONS = 0.30 * 0.939 / V_EW  # coupling of h to a nucleon

vertices_of = jax.jit(model.scalar_vertices)
couplings_of = jax.jit(model.vertices)


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=4000, help="points of the prior")
    arguments = parser.parse_args()
    real = np.asarray(jax.jit(jax.vmap(_branching_ratio))(jnp.asarray(MASSES)))
    at_135 = float(_branching_ratio(0.135))
    for name, point in model.points.items():
        tail = virtual(point, real, 0.010) / at_135
        beyond = [virtual({**point, "m_phi": m}, real) / at_135 for m in (0.37, 0.4, 0.7)]
        print(f"{name}: 10 MeV and more off {tail:.2g}; phi of 370, 400, 700 MeV", *(f"{x:.2g}" for x in beyond))
        print(f"    exchange over that of Z' at 0.5, 1, 20 GeV: {exchange(point)}")
    print(over_the_prior(arguments.points, real, at_135))


def _branching_ratio(mass):
    """Per sin^2 theta."""
    return penguin_branching_ratio("K_L -> pi0", mass, 1.0)


def virtual(point, real, apart: float = 0.0) -> float:
    """B(K_L -> pi0 N N) per sin^2 theta, of masses that are `apart` (GeV) from phi's or more."""
    found = vertices_of({name: jnp.asarray(float(value)) for name, value in point.items()})
    m_phi = float(point["m_phi"])
    width = _width(np.array([m_phi]), found)[0]
    shape = MASSES * _width(MASSES, found) / np.pi / ((MASSES**2 - m_phi**2) ** 2 + (m_phi * width) ** 2)
    return float(np.sum(2.0 * MASSES * WEIGHTS * real * shape * (np.abs(MASSES - m_phi) >= apart)))


def _width(mass, found):
    """Width of phi of this mass to two neutrinos of any kind, `dark_seesaw_scalar.width_to_states` summed."""
    m, squared, eta = (np.asarray(x) for x in (found.size, found.squared, found.parity))
    total = np.zeros_like(mass)
    for j in range(len(m)):
        for k in range(j + 1):
            opened = mass > m[j] + m[k]
            M = np.where(opened, mass, 1e3)
            momentum = np.sqrt((M**2 - (m[j] + m[k]) ** 2) * (M**2 - (m[j] - m[k]) ** 2)) / (2.0 * M)
            rate = squared[j, k] * (M**2 - m[j] ** 2 - m[k] ** 2 - 2.0 * eta[j, k] * m[j] * m[k]) * momentum
            total += np.where(opened, (0.5 if j == k else 1.0) * rate / (4.0 * np.pi * M**2), 0.0)
    return total


def over_the_prior(number: int, real, at_135: float) -> str:
    """The largest ratios below and above the kaon's reach."""
    rng = np.random.default_rng(1)
    parameters = model.parametrisations["lagrangian"].parameters
    below, above = [], []
    for _ in range(number):
        point = {p.name: _drawn(p, rng) for p in parameters}
        g_X = np.sqrt(4.0 * np.pi * point["alpha_D"])
        largest = max(abs(point[f"Lambda_{side}{k}"]) for side in "LR" for k in (1, 2, 3))
        if max(g_X, np.sqrt(2.0) * largest * g_X / point["m_Zprime"]) > np.sqrt(4.0 * np.pi):
            continue
        m_phi = point["m_phi"]
        if m_phi < REACH:
            below.append(virtual(point, real, 0.03 * m_phi) / np.interp(m_phi, MASSES, real))
        else:
            above.append(virtual(point, real) / at_135)
    words = []
    for ratios in (below, above):
        share = np.mean(np.array(ratios) > 0.01)
        words.append(f"{len(ratios)} points, at most {max(ratios):.2g}, {share:.1%} above 1 %")
    return "prior, below and above the reach: {}; {}".format(*words)


def _drawn(parameter, rng) -> float:
    low, high = parameter.low, parameter.high
    return float(np.exp(rng.uniform(np.log(low), np.log(high))) if parameter.is_log else rng.uniform(low, high))


def exchange(point) -> str:
    """N_4 to N_6 that phi's exchange makes on carbon, over those of Z'."""
    arrays = {name: jnp.asarray(float(value)) for name, value in point.items()}
    found, named = vertices_of(arrays), couplings_of(arrays)
    g_X = np.sqrt(4.0 * np.pi * point["alpha_D"])
    ratios = []
    for energy in (0.5, 1.0, 20.0):
        total = np.zeros(2)
        for place, j in enumerate((4, 5, 6)):
            m, g = float(found.size[1 + place]), float(np.sqrt(found.squared[0, 1 + place]))
            scalar = g * ATOMS * point["sin_theta"] * IN_NUCLEONS
            vector = g_X * float(named[f"V_{j}3"]) * E_CHARGE * point["epsilon"] * PROTONS
            total += _cross_sections(energy, m, scalar, point["m_phi"], vector, point["m_Zprime"])
        ratios.append(f"{total[0] / total[1]:.2g}")
    return ", ".join(ratios)


def _cross_sections(energy, m, scalar, m_phi, vector, m_Zprime):
    s = NUCLEUS**2 + 2.0 * NUCLEUS * energy
    if s < (m + NUCLEUS) ** 2:
        return np.zeros(2)
    before, after = ((s + x - NUCLEUS**2) / (2.0 * np.sqrt(s)) for x in (0.0, m**2))
    momentum = np.sqrt(after**2 - m**2)
    low, high = (2.0 * before * (after + sign * momentum) - m**2 for sign in (-1.0, 1.0))
    span = np.log(min(high, 0.6) / low)
    Q2 = low * np.exp(0.5 * (_x + 1.0) * span)
    weight = 0.5 * _w * span * Q2 * np.exp(-Q2 * RADIUS**2 / 3.0) / (16.0 * np.pi)
    leptons = 0.5 * (m**2 + Q2)
    along = 2.0 * NUCLEUS * energy - leptons  # k.P and k'.P
    tensor = 2.0 * (2.0 * along**2 - leptons * (4.0 * NUCLEUS**2 + Q2))
    of_phi = scalar**2 * 2.0 * leptons / energy**2 / (Q2 + m_phi**2) ** 2
    of_Zprime = vector**2 * tensor / (2.0 * NUCLEUS * energy) ** 2 / (Q2 + m_Zprime**2) ** 2
    return np.array([np.sum(weight * of_phi), np.sum(weight * of_Zprime)])


if __name__ == "__main__":
    main()
