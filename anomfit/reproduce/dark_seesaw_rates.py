"""The events that arXiv:2007.11813 states: upscattering in MicroBooNE and MiniBooNE, kaons at NA62, N -> mu pi.

Upscattering is that of a point's three states with dipoles for nucleons and Helm's form factor for nuclei, no Pauli
blocking, and muon neutrinos alone. The coupling is that of Majorana states: the two equal terms of A2 cancel its 1/2.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams import Beam
from anomfit.beams.booster import microboone_beam, miniboone_beam
from anomfit.data import load_record
from anomfit.models.dark_seesaw import STATES, DarkSeesaw
from anomfit.parameters import Point
from anomfit.physics.constants import E_CHARGE, M_MU
from anomfit.physics.dark_neutrinos import DarkNeutrinos, decays, decays_of_states, total_widths
from anomfit.physics.heavy_neutrino_decays import meson_to_lepton_neutrino, width_to_lepton_pion
from anomfit.physics.meson_constants import M_CHARGED_KAON
from anomfit.physics.targets import FormFactors
from anomfit.physics.vector_exchange import VectorExchange
from anomfit.rates.interactions import interactions
from anomfit.reproduce import dark_seesaw_second as second
from anomfit.reproduce.dark_seesaw import SYMMETRIC, VARIED, AtPoints, Benchmarks, at_points, left_right
from anomfit.reproduce.statements import Computed

FORM_FACTORS = FormFactors(nucleon="dipole", nucleus="helm", M_S=1.0)
ENERGIES, TRANSFERS = 64, 32
PER_CENT = 1e2
MADE = (5, 6)  # states of upscattering
OTHERS = ("uboone_pot", "na62_kaons", "na62_acceptance", "miniboone_excess", "kaon_muon_share", "booster_flux")
MAIN = ("A", "B")


class Data(NamedTuple):
    """The beams, and the protons on target in the exposure of MicroBooNE's."""

    argon: Beam
    argon_pot: float
    oil: Beam


def _numbers(model: DarkSeesaw, point: Point, data: tuple[jax.Array, Data]):
    """Events of N_5 and N_6, the coherent share, the efficiency that the excess needs; kaons; N -> mu pi."""
    symmetric, given = data
    states = model.dark_neutrinos(left_right(point, symmetric))
    flux = 1.0 + point["booster_flux"]
    argon = _made(states, given.argon) * flux * point["uboone_pot"] / given.argon_pot
    oil = jnp.sum(_made(states, given.oil), axis=1) * flux
    to_pair, totals = _pairs(states)
    one_pair = oil[0] * (to_pair[1, 0] + to_pair[1, -1]) + oil[1] * (to_pair[2, 0] + to_pair[2, -1])
    numbers = {f"uboone_{j}": jnp.sum(argon[i]) for i, j in enumerate(MADE)}
    numbers["uboone_coherent"] = PER_CENT * jnp.sum(argon[:, 0]) / jnp.sum(argon)
    numbers["miniboone_efficiency"] = PER_CENT * point["miniboone_excess"] / one_pair
    numbers["na62"] = _kaons(states, point) * to_pair[2, 1]
    pions = width_to_lepton_pion(states.size, states.mixing_squared, M_MU) / totals
    numbers |= {f"muon_pion_{j}": pions[STATES.index(j)] for j in MADE}
    return numbers, {"oil": oil, "coherent": argon[:, 0]}


def _pairs(states: DarkNeutrinos):
    """Branching ratios of N_j -> N_k e+e- (places j and k, -1 for light ones) and total widths, as published."""
    same_parity = replace(states, mass=states.size)
    found = decays(same_parity)
    totals = total_widths(same_parity, found)
    parent, daughter = decays_of_states(len(STATES))
    at = enumerate(zip(parent.tolist(), daughter.tolist()))
    return {(j, k): found.to_electrons[i] / totals[j] for i, (j, k) in at}, totals


def _made(states: DarkNeutrinos, beam: Beam):
    """(states, component) interactions of N_5 and N_6 in a beam."""

    def of(mass, g):
        numbers = (states.m_Zprime, g, E_CHARGE * states.epsilon)
        vector, coupling, charge = (jnp.reshape(number, (1,)) for number in numbers)
        return interactions(
            VectorExchange(mass, vector, coupling, charge, None, FORM_FACTORS), beam, ENERGIES, TRANSFERS
        )[:, 0]

    return jax.vmap(of)(states.size[1:], states.produced[1:])


def _kaons(states: DarkNeutrinos, point: Point):
    """K+ -> mu+ N_6 in the fiducial kaons of NA62, with the acceptance."""
    rate = point["kaon_muon_share"] * meson_to_lepton_neutrino(M_CHARGED_KAON, M_MU, states.size[2])
    return point["na62_kaons"] * point["na62_acceptance"] * rate * states.mixing_squared[2]


def rates_at_points(given: Benchmarks) -> AtPoints:
    """All of them at every point."""
    pot = load_record("microboone/experiment").values["pot"]
    data = Data(microboone_beam("numu-only"), pot, miniboone_beam("numu-only", "neutrino"))
    again = {label: _again(given.points[label], label in SYMMETRIC) for label in MAIN}
    return at_points(_numbers, given, again, (*VARIED, *OTHERS), data)


def numbers(given: Benchmarks) -> dict[str, Computed]:
    """The events of the text."""
    at = rates_at_points(given)
    made = {label: np.asarray(linear.others["oil"]) for label, linear in at.found.items()}
    found = {"flux_mean": Computed(_mean_energy())}
    for label in MAIN:
        oil = f"{made[label][0]:.0f} N_5 and {made[label][1]:.0f} N_6 are made in MiniBooNE's oil."
        names = ["uboone_5", "uboone_coherent", "na62"] + (["uboone_6"] if label not in SYMMETRIC else [])
        found |= {f"{name}_{label}": at.computed(label, name) for name in names}
        found[f"miniboone_efficiency_{label}"] = at.computed(label, "miniboone_efficiency", oil)
    found["muon_pion_least"] = at.extreme(("muon_pion_5", "muon_pion_6"), ("D",), min)
    found["muon_pion_most"] = at.extreme(("muon_pion_5", "muon_pion_6"), ("D",))
    return found


def _mean_energy() -> float:
    """Mean energy (GeV) of nu_mu of the neutrino mode at MiniBooNE, from the bins of its flux."""
    columns = load_record("miniboone/flux_neutrino_mode").columns
    width, flux = columns["E_hi_GeV"] - columns["E_lo_GeV"], columns["numu"]
    middle = 0.5 * (columns["E_hi_GeV"] + columns["E_lo_GeV"])
    return float(np.sum(middle * width * flux) / np.sum(width * flux))


REACH = 4.0  # GeV, of the flux that the second computation takes; 0.3 per cent is above it


def _again(point: Mapping[str, float], symmetric: bool) -> dict[str, float]:
    """LAPACK's states; cross sections and the kaons' rate from traces, the flux's bins at their middle."""
    masses, U = second.eigenstates(second.matrix_of(point, symmetric))
    V = np.abs(np.outer(U[4], U[4]) - np.outer(U[5], U[5]))
    strength = 4.0 * np.pi * point["alpha_D"] * 4.0 * np.pi * second.ALPHA * point["epsilon"] ** 2
    columns, detector = load_record("microboone/flux").columns, load_record("microboone/experiment").values
    middle = 0.5 * (columns["E_lo_GeV"] + columns["E_hi_GeV"])
    flux = (columns["E_hi_GeV"] - columns["E_lo_GeV"]) * columns["numu"]
    slices = [(e, weight) for e, weight in zip(middle, flux) if weight > 0.0 and e < REACH]
    exposure, found = point["uboone_pot"] * detector["argon_nuclei"], {}
    parts = np.zeros((len(MADE), 2))
    for row, j in zip(parts, MADE):
        m_N, vertex = abs(masses[j - 3]), V[j - 3, 0] ** 2
        if vertex > 1e-20:
            row += [
                sum(
                    weight * many * second.cross_section(e, m_N, name, 18.0, point["m_Zprime"])
                    for e, weight in slices
                    for name, many in part.items()
                )
                for part in ({"Ar40": 1.0}, {"proton": 18.0, "neutron": 22.0})
            ]
            row *= strength * vertex * exposure
        found[f"uboone_{j}"] = float(np.sum(row))
    found["uboone_coherent"] = float(PER_CENT * np.sum(parts[:, 0]) / np.sum(parts))
    kaons = point["na62_kaons"] * point["na62_acceptance"] * point["kaon_muon_share"]
    sizes = np.abs(masses)
    widths = [  # e epsilon g_X is common to all
        second.three_body_width(sizes[3], sizes[k] if k else 0.0, point["m_Zprime"], V[3, k], 1.0, second.M_ELECTRON)
        for k in range(3)
    ]
    found["na62"] = float(kaons * second.kaon_rate(sizes[3]) * U[0, 3] ** 2 * widths[2] / sum(widths))
    return found
