"""The numbers of arXiv:2006.01948 that need h' or H off an exchanged Z': MiniBooNE, LSND, NOMAD, COHERENT.

The paper's choices: nu_mu alone, free nucleons with the isoscalar form factors of equation 29, exp(-b Q^2) for carbon,
no Pauli blocking. Carbon scatters as a nucleus of spin 0, with its own mass, where equation 30 multiplies the cross
section of a nucleon; the rows say what that reading gives.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from anomfit.beams import Beam
from anomfit.beams.booster import miniboone_beam
from anomfit.beams.lampf import in_flight_beam, karmen_in_flight_beam
from anomfit.data import load_record
from anomfit.detectors.miniboone import single_shower_efficiency
from anomfit.parameters import Point
from anomfit.physics import charged_current
from anomfit.physics.boson_strahlung import BosonStrahlung, Nodes, radiated, threshold_energy
from anomfit.physics.constants import M_C12, M_E
from anomfit.physics.gauged_scalar_sector import radiation_vertex
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.nuclear_form_factors import exponential
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.targets import FormFactors, Target
from anomfit.reproduce.inputs import linearised
from anomfit.reproduce.statements import Computed
from anomfit.reproduce.zprime_two_higgs_doublet import MEV, Benchmark, scalars

CARBON = Target("C12", M_C12, 1.0, 6, 6)
IN_CH2, IN_CARBON, NEUTRONS = 14, 12, 6  # nucleons, nucleons, neutrons of carbon
ENERGIES, NODES = 48, Nodes(16, 20, 8)
NOMAD_ENERGY = 25.0  # GeV, the mean that the paper takes
TOGETHER, FAINT = np.deg2rad(8.0), 0.030  # opening angle, and energy (GeV) of the softer electron, section III D
LIGHT = 0.030  # GeV, m_track below which a pair is one electron, section III D
VARIED = (
    *("m_nu4", "m_Zprime", "m_hprime", "m_H", "U_mu4_squared", "g_B", "g_d", "sin_delta", "b_carbon"),
    *("booster_flux", "lsnd_flux", "lsnd_efficiency"),
)


class Data(NamedTuple):
    """What the experiments are, in numbers.

    oil: MiniBooNE's beam in both horn modes; lsnd: decay in flight; karmen: its exposure over LSND's; efficiency: of
    LSND for electrons; dif_error: relative, of LSND's flux; charged_current: cm^2 per nucleon, of muons in NOMAD.
    """

    oil: Beam
    lsnd: Beam
    karmen: float
    efficiency: float
    dif_error: float
    charged_current: float


def beams(given: Benchmark) -> dict[str, Computed]:
    """Events and cross sections, all of them from one cross section."""
    lsnd, karmen = in_flight_beam("numu-only"), karmen_in_flight_beam("numu-only")
    data = Data(
        oil=miniboone_beam("numu-only"),
        lsnd=lsnd,
        karmen=float(karmen.exposure[0] / lsnd.exposure[0]),
        efficiency=load_record("lsnd/experiment").values["electron_efficiency"],
        dif_error=load_record("lsnd/dif_flux").values["normalisation_error"],
        charged_current=float(charged_current.cross_section(np.array(NOMAD_ENERGY), CARBON.name)) / IN_CARBON,
    )
    nucleon = Target("nucleon", given.point["nucleon_mass"], 1.0, 1, 0)
    found = linearised(_numbers, nucleon, given.point, VARIED, data)
    details = _details({name: float(value) for name, value in found.others.items()})
    return {name: found.computed(name, details.get(name, "")) for name in found.numbers}


def processes(point: Point) -> BosonStrahlung:
    """H and h' along the first axis of masses and of vertices, the rest common to both."""
    states = scalars(point)
    forms = FormFactors("dipole", "exponential", 1.0, "none", point["b_carbon"])
    lepton = point["g_d"] * jnp.sqrt(point["U_mu4_squared"]) * (1.0 - point["U_mu4_squared"])
    vertex = radiation_vertex(point["m_Zprime"], point["g_d"]) * states.singlet
    m_N, m_vector, charge = (jnp.asarray(point[name]) for name in ("m_nu4", "m_Zprime", "g_B"))
    return BosonStrahlung(m_N, states.mass, m_vector, lepton, charge, vertex, forms, "published")


def grid(process: BosonStrahlung, beam: Beam, target: Target) -> tuple[Array, Array]:
    """Energies (GeV), and for each and each exposure of a beam what a cross section counts for, a target a molecule."""
    u, w = unit_legendre(ENERGIES)
    start = jnp.minimum(threshold_energy(process.m_N, process.m_scalar, target.mass), beam.highest_energy)
    span = beam.highest_energy - start
    energy = start + span * jnp.asarray(u**2)
    return energy, (span * jnp.asarray(2.0 * w * u))[:, None] * beam.flux_at(energy) * beam.exposure


def made(process: BosonStrahlung, beams: tuple[Beam, ...], target: Target, slope):
    """Five numbers of scalars for each exposure of each beam, on one target a molecule, and NOMAD's cross sections.

    All scalars; those whose pair looks like one electron; all of them with another factor exp(-2 b Q^2), b the slope
    (GeV^-2), which is equation 30 as printed; those that pass for one electron, by their mass or as before, times
    MiniBooNE's efficiency for one; the same with the other factor. NOMAD has the same in cm^2. All energies are one
    batch.
    """
    energies, weights = zip(*(grid(process, beam, target) for beam in beams), strict=True)

    def at(e_nu):
        found = radiated(process, e_nu, target, NODES)
        coherent = exponential(found.q_squared, slope) ** 2
        alike = looks_alike(found.energy, process.m_scalar)
        seen = jnp.where(process.m_scalar < LIGHT, 1.0, alike) * single_shower_efficiency(found.energy)
        factors = (jnp.ones_like(alike), alike, coherent, seen, seen * coherent)
        return jnp.stack([found.section @ factor for factor in factors])

    sections = jax.vmap(at)(jnp.concatenate([*energies, jnp.array([NOMAD_ENERGY])]))
    in_beams = [sections[i * ENERGIES : (i + 1) * ENERGIES].T @ weight for i, weight in enumerate(weights)]
    return in_beams, sections[-1]


def looks_alike(energy, mass):
    """Share of phi -> e+e- at this energy (GeV) with an opening angle below 8 degrees or an electron below 30 MeV.

    Isotropic in phi's rest frame, so that the energies are E (1 +- beta x)/2 with x uniform up to the electron's
    velocity there; the angle of massless electrons is sin^2(angle/2) = m^2/(4 E_1 E_2).
    """
    beta = safe_sqrt((1.0 - mass / energy) * (1.0 + mass / energy))
    moves = beta > 0.0
    electron = jnp.sqrt(1.0 - (2.0 * M_E / mass) ** 2)
    most = jnp.where(moves, beta, 1.0) * electron
    faint = jnp.clip((1.0 - 2.0 * FAINT / energy) / most, 0.0, 1.0)  # |x| above it
    narrow = safe_sqrt(1.0 - (mass / (energy * np.sin(0.5 * TOGETHER))) ** 2) / most  # |x| below it
    return jnp.where(moves, jnp.minimum(1.0, jnp.clip(narrow, 0.0, 1.0) + 1.0 - faint), 1.0)


def _numbers(nucleon: Target, point: Point, data: Data):
    """All of them, and the numbers that the rows say besides; scalars are H and h'."""
    both = processes(point)

    def of_scalar(mass, vertex):
        process = replace(both, m_scalar=mass, G=vertex)
        (oil, low), fast = made(process, (data.oil, data.lsnd), nucleon, point["b_carbon"])
        (carbon,), whole = made(process, (data.oil,), CARBON, point["b_carbon"])
        return {
            "incoherent": IN_CH2 * oil[0],
            "coherent": carbon[0],
            "literal": IN_CARBON**2 * oil[2],
            "alike": IN_CH2 * oil[1] + carbon[1],
            "seen": IN_CH2 * oil[3] + carbon[3],
            "seen_literal": IN_CH2 * oil[3] + IN_CARBON**2 * oil[4],
            "lsnd": NEUTRONS * low[0, 0],
            "fast": jnp.stack([fast[0], whole[0] / IN_CARBON, IN_CARBON * fast[2]]) / data.charged_current,
        }

    found = jax.vmap(of_scalar)(both.m_scalar, both.G)
    H, hprime = ({name: value[i] for name, value in found.items()} for i in range(2))
    flux = 1.0 + point["booster_flux"]
    selected = data.efficiency * point["lsnd_efficiency"] * (1.0 + data.dif_error * point["lsnd_flux"])
    every, heavy = hprime["coherent"] + hprime["incoherent"], H["coherent"][0] + H["incoherent"][0]
    seen = H["seen"] + hprime["seen"]
    numbers = {
        "selected_neutrino": flux * seen[0],
        "selected_antineutrino": flux * seen[1],
        "karmen_events": hprime["lsnd"] * data.karmen,
        "made_neutrino": flux * every[0],
        "made_antineutrino": flux * every[1],
        "H_look_alike": H["alike"][0] / heavy,
        "lsnd_events": selected * hprime["lsnd"],
        "nomad_ratio": hprime["fast"][0] + hprime["fast"][1],
        "coherent_threshold": (point["m_nu4"] + point["m_hprime"]) / MEV,
    }
    others = {f"{name}_{i}": hprime[name][i] for name in ("coherent", "incoherent", "literal") for i in range(2)}
    others |= {f"fast_{i}": value for i, value in enumerate(hprime["fast"])}
    others |= {"H_made": heavy, "H_alike": H["alike"][0], "lsnd_made": hprime["lsnd"]}
    others |= {f"literally_seen_{i}": H["seen_literal"][i] + hprime["seen_literal"][i] for i in range(2)}
    others |= {f"H_seen_{i}": H["seen"][i] for i in range(2)}
    return numbers, others | {"karmen_made": hprime["lsnd"] * data.karmen, "without_scalar": point["m_nu4"] / MEV}


def _details(others: Mapping[str, float]) -> dict[str, str]:
    """What rows say besides their number, by statement."""
    oil = [
        f"{others[f'coherent_{i}']:.0f} coherent ({others[f'literal_{i}']:.0f} by equation 30 as printed) and "
        f"{others[f'incoherent_{i}']:.0f} incoherent."
        for i in range(2)
    ]
    heavy = f"Of {others['H_made']:.0f} H made, {others['H_alike']:.0f} look like one electron."
    low = f"{others['lsnd_made']:.2f} are made; in KARMEN at most {others['karmen_made']:.2f}."
    printed = others["fast_0"] + others["fast_2"]
    fast = f"Incoherent alone {others['fast_0']:.2g}; with equation 30 as printed {printed:.2g}."
    seen = [
        f"{others[f'literally_seen_{i}']:.0f} by equation 30 as printed; H makes {others[f'H_seen_{i}']:.0f}."
        for i in range(2)
    ]
    return {
        "selected_neutrino": seen[0],
        "selected_antineutrino": seen[1],
        "made_neutrino": oil[0],
        "made_antineutrino": oil[1],
        "H_look_alike": heavy,
        "lsnd_events": low,
        "nomad_ratio": fast,
        "coherent_threshold": f"Without a scalar, nu N -> nu_4 N, it is {others['without_scalar']:.0f} MeV.",
    }
