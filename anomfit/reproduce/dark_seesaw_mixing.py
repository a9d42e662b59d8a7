"""The numbers of arXiv:2007.11813 on limits on mixing: PS191 and equation B18, lines in kaon decays, NA62's hint.

What a point does to a limit comes from the constraints that users see.
"""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from anomfit.constraints import Constraint, heavy_neutrino_mixing
from anomfit.constraints.heavy_neutrino_lines import not_vetoed
from anomfit.data import load_record
from anomfit.models.dark_seesaw import STATES, DarkSeesaw
from anomfit.parameters import Point
from anomfit.physics.constants import E_CHARGE, G_F, HBAR, M_E
from anomfit.physics.heavy_neutrinos import HeavyNeutrinos
from anomfit.physics.three_body_decays import width_to_neutrino_leptons
from anomfit.reproduce.dark_seesaw import Benchmarks, at_points, left_right
from anomfit.reproduce.statements import Computed

NANOSECONDS = 1e9  # in a second
PAPERS_FACTOR = 3.17  # F of equation B18
SEARCH, HINT = "NA62_2020_electron", "NA62_2020_hint"


def limits_on_mixings(given: Benchmarks) -> dict[str, Computed]:
    """All of them."""
    at = at_points(_numbers, given, {})
    others = ", ".join(f"BP-{label} {at.found[label].numbers['excess_6']:.3g}" for label in ("A", "C"))
    conditions = {
        f"ps191_condition_{label}": at.computed(label, "ps191_condition", _conditions(at.found[label].numbers))
        for label in ("B", "C", "D")
    }
    return {
        **conditions,
        "ps191_factor": _factor(),
        "line_weakening": at.computed("A", "weakening_6", f"BP-A, N_6; all points: {at.values('weakening_6')}."),
        "line_excess_6_B": at.computed("B", "excess_6", f"{others}; N_6 of BP-D is too heavy for kaons."),
        "line_masses": at.extreme(("m_5",)),
        "na62_life": at.computed("D", "life_5", f"All points: {at.values('life_5')}."),
        "na62_weakening": Computed(limit_weakens()),
    }


def _row(name: str) -> Constraint:
    return next(entry for entry in heavy_neutrino_mixing.constraints() if entry.name == name)


def _numbers(model: DarkSeesaw, point: Point, symmetric):
    """What holds at a point: equation B18 as a ratio of its sides, lines, decays to mu pi, the life of N_5."""
    states = model.heavy_neutrinos(left_right(point, symmetric))
    fourth, fifth, sixth = range(len(STATES))
    ps191 = _row("ps191-pairs").data
    width = G_F**2 * states.size[fourth] ** 5 / (192.0 * jnp.pi**3)
    limit = jnp.exp(jnp.interp(jnp.log(states.size[fourth]), jnp.log(ps191["m"]), jnp.log(ps191["low"])))
    sides = states.U_mu[fourth] * states.to_electrons[fourth] / (width * limit**2)
    e949 = _row("line-e949-muon").data
    curve = jnp.interp(jnp.log(states.size), jnp.log(e949["m"]), jnp.log(e949["low"]))
    numbers = {
        "ps191_sides": sides,
        "ps191_condition": sides / PAPERS_FACTOR,
        "weakening_6": 1.0 / not_vetoed(states, "K", "muon", e949)[sixth],
        "excess_6": states.U_mu[sixth] / jnp.exp(curve[sixth]),
        "m_5": states.size[fifth],
        "life_5": NANOSECONDS * HBAR / states.width[fifth],
    }
    return numbers, {}


def _conditions(numbers: Mapping[str, float]) -> str:
    return f"With F = 1, which is what both rates give, {numbers['ps191_sides']:.3g}."


def _factor() -> Computed:
    """F of equation B18 at 74 MeV, m_Z' = 1.25 GeV: width of N -> nu e+e- by W (Dirac) over that by Z' (Majorana).

    Twice: with all masses, and from G_F^2 m^5/(192 pi^3) against g^2 m^5/(384 pi^3 M^4), which leave exactly 1.
    """
    m, m_Zprime = 0.074, 1.25
    by_charged = G_F**2 * m**5 / (192.0 * np.pi**3)
    through = float(width_to_neutrino_leptons(m, 0.0, M_E, m_Zprime, E_CHARGE, 0.0)) / E_CHARGE**2
    exact = by_charged / through / (np.sqrt(2.0) * G_F * m_Zprime**2) ** 2
    return Computed(exact, "The same decays in the same detector give 1; we know of no source of 3.17.")


def limit_weakens() -> float:
    """By how much a limit of NA62 on K+ -> e+ N of 346 MeV weakens at 5 ns if all decays are seen."""
    parts, row = load_record("kaon/heavy_neutrino_mixing").parts, _row("line-na62-electron")
    mixings, decays = jnp.zeros(1), jnp.full(1, HBAR / parts[SEARCH].values["short_life"])
    nothing = jnp.zeros(1)
    states = HeavyNeutrinos(
        mass=jnp.full(1, parts[HINT].values["mass"]),
        U_e=mixings,
        U_mu=mixings,
        U_tau=mixings,
        to_electrons=decays,
        to_muons=nothing,
        to_hadrons=nothing,
        to_photons=nothing,
        width=decays,
        cascade=jnp.zeros((1, 1)),
        majorana=True,
    )
    return 1.0 / float(not_vetoed(states, "K", "electron", row.data)[0])
