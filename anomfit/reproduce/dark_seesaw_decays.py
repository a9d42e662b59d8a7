"""The numbers of arXiv:2007.11813 on decays: Z' -> N_j N_k, lifetimes, flights; as published and with CP parities.

The printed lifetimes and branching ratios follow if every pair of states has the same CP parity (eta = 1) and if two
identical Majorana states are counted like different ones. Neither is so: the parities are those of the matrix, and
PublishedChoices is an option of this module alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.models.dark_seesaw import STATES, DarkSeesaw
from anomfit.parameters import Point
from anomfit.physics.constants import HBAR_C_CM, M_MU
from anomfit.physics.dark_neutrinos import (
    DarkNeutrinos,
    ZprimeWidths,
    decays,
    pairs_of_states,
    total_widths,
    zprime_widths,
)
from anomfit.physics.meson_constants import M_CHARGED_KAON
from anomfit.physics.two_body import two_body_energy
from anomfit.reproduce import dark_seesaw_second as second
from anomfit.reproduce.dark_seesaw import LABELS, SYMMETRIC, AtPoints, Benchmarks, at_points, left_right, printed
from anomfit.reproduce.statements import Computed

FLIGHT_ENERGY = 50.0  # GeV, of N_5 and N_6 at NA64 and CCFR
KAON_ENERGY = 75.0  # GeV, at NA62
WITHIN = {5: 10.0, 6: 0.5}  # m, the distances of CCFR
CM_PER_M, PER_CENT = 1e2, 1e2


class PublishedChoices(NamedTuple):
    """What the paper must have assumed: the same CP parity for all pairs, no 1/2 for pairs of identical states."""

    same_parity: ArrayLike
    identical_count: ArrayLike  # of the width to two identical states, over that of the library


AS_PUBLISHED, OF_THE_MATRIX = PublishedChoices(True, 2.0), PublishedChoices(False, 1.0)


def with_choices(states: DarkNeutrinos, choices: PublishedChoices) -> tuple[ZprimeWidths, Float[Array, " states"]]:
    """Widths of Z' and total widths of the states under these choices, GeV."""
    taken = replace(states, mass=jnp.where(choices.same_parity, states.size, states.mass))
    widths = zprime_widths(taken)
    j, k = pairs_of_states(len(states.mass))
    heavy = jnp.where(j == k, choices.identical_count, 1.0) * widths.to_heavy
    return widths._replace(to_heavy=heavy), total_widths(taken, decays(taken))


def _numbers(model: DarkSeesaw, point: Point, symmetric):
    """Branching ratios of Z' in per cent and c tau in cm, as published and with the parities of the matrix."""
    states = model.dark_neutrinos(left_right(point, symmetric))
    both = PublishedChoices(*(jnp.array(pair) for pair in zip(AS_PUBLISHED, OF_THE_MATRIX)))
    widths, totals = jax.vmap(lambda choices: with_choices(states, choices))(both)
    everything = jnp.sum(widths.to_heavy, axis=-1) + sum(widths[:-1])
    numbers = {"visible": (widths.to_electrons + widths.to_muons)[0] / everything[0]}
    pairs = list(zip(*pairs_of_states(len(STATES))))
    for i, suffix in enumerate(("", "_parities")):
        for at, (j, k) in enumerate(pairs):
            if k >= 0:
                numbers[f"B_{STATES[k]}{STATES[j]}{suffix}"] = PER_CENT * widths.to_heavy[i, at] / everything[i]
        for at, j in enumerate(STATES):
            c_tau = HBAR_C_CM / totals[i, at]
            numbers |= {f"ctau_{j}{suffix}": c_tau, f"flight_{j}{suffix}": _flight(c_tau, states.size[at])}
        fifth = states.size[STATES.index(5)]
        of_kaons = two_body_energy(M_CHARGED_KAON, fifth, M_MU) * KAON_ENERGY / M_CHARGED_KAON
        numbers[f"flight_kaon{suffix}"] = _flight(numbers[f"ctau_5{suffix}"], fifth, of_kaons)
        for j, distance in WITHIN.items():
            numbers[f"ccfr_{j}{suffix}"] = -jnp.expm1(-distance / numbers[f"flight_{j}{suffix}"])
    return numbers, {}


def _flight(c_tau, mass, energy: ArrayLike = FLIGHT_ENERGY):
    """Length (m) of a flight at this energy (GeV), c tau in cm."""
    return c_tau / CM_PER_M * jnp.sqrt((energy / mass) ** 2 - 1.0)


def decays_at_points(given: Benchmarks) -> AtPoints:
    """All of them at every point."""
    again = {label: _again(point, label in SYMMETRIC) for label, point in given.points.items()}
    return at_points(_numbers, given, again)


def tables(given: Benchmarks) -> dict[str, Computed]:
    """Branching ratios and lifetimes of Tables I and II, in both ways."""
    at = decays_at_points(given)
    details = {label: _details(at.found[label].numbers) for label in at.found}
    return printed(at, ("B",), details, ("B_", "ctau_"))


def _details(numbers: Mapping[str, float]) -> dict[str, str]:
    """What the library's default says beside the number as published."""
    units = {"ctau": "cm", "B": "%"}
    return {
        name: f"With the CP parities of the matrix {numbers[f'{name}_parities']:.3g} {unit}."
        for prefix, unit in units.items()
        for name in numbers
        if name.startswith(f"{prefix}_") and f"{name}_parities" in numbers
    }


def text(given: Benchmarks) -> dict[str, Computed]:
    """Lifetimes and flights that text and appendices state."""
    at = decays_at_points(given)
    shown = [f"{kind}_{j}" for kind in ("flight", "ccfr") for j in WITHIN]
    default = {name: f"With the CP parities of the matrix: {at.values(f'{name}_parities')}." for name in shown}
    main = ("A", "B")
    found = {
        f"visible_{label}": at.computed(label, "visible", f"All points: {at.values('visible')}.") for label in main
    }
    found |= {f"ctau_{j}_text": at.extreme((f"ctau_{j}",), main) for j in STATES}
    for name in ("ctau_5_C", "ctau_6_C", "ctau_5_D", "ctau_4_D"):
        quantity, label = name[:-2], name[-1]
        found[f"{name}_text"] = at.computed(label, quantity)
    for label in LABELS:
        of_label = [name for name in shown if label in main or name.startswith("flight")]
        found |= {f"{name}_{label}": at.computed(label, name, default[name]) for name in of_label}
    of_kaons = f"With the CP parities of the matrix: {at.values('flight_kaon_parities')}."
    return found | {f"flight_kaon_{label}": at.computed(label, "flight_kaon", of_kaons) for label in LABELS}


def _again(point: Mapping[str, float], symmetric: bool) -> dict[str, float]:
    """The same numbers from LAPACK's states and traces of Dirac matrices."""
    masses, U = second.eigenstates(second.matrix_of(point, symmetric))
    V = np.abs(np.outer(U[4], U[4]) - np.outer(U[5], U[5]))
    g_X, M = np.sqrt(4.0 * np.pi * point["alpha_D"]), point["m_Zprime"]
    charge = np.sqrt(4.0 * np.pi * second.ALPHA) * point["epsilon"]
    m, found = np.abs(masses), {}
    for suffix, published in (("", True), ("_parities", False)):
        widths = {}
        for j in range(1, 4):
            for k in range(1, j + 1):
                eta = 1.0 if published else float(np.sign(masses[j] * masses[k]))
                count = 0.5 if j == k and not published else 1.0
                widths[k, j] = count * second.zprime_width(M, m[j], m[k], g_X * V[j, k], eta)
        total = sum(widths.values())
        found |= {f"B_{k + 3}{j + 3}{suffix}": PER_CENT * width / total for (k, j), width in widths.items()}
        for j in range(1, 4):
            width = second.weak_width(m[j], U[0, j] ** 2)
            for k in range(j):
                eta = 1.0 if published else float(np.sign(masses[j] * masses[k]))
                m_k = m[k] if k else 0.0
                for m_lepton in (second.M_ELECTRON, second.M_MUON):
                    width += second.three_body_width(m[j], m_k, M, charge * g_X * V[j, k], eta, m_lepton)
            c_tau = second.HBAR_C_CM / width
            found[f"ctau_{j + 3}{suffix}"] = float(c_tau)
            found[f"flight_{j + 3}{suffix}"] = float(c_tau / CM_PER_M * FLIGHT_ENERGY / m[j])
        energy = (second.M_KAON**2 + m[2] ** 2 - second.M_MUON**2) / (2.0 * second.M_KAON**2) * KAON_ENERGY
        found[f"flight_kaon{suffix}"] = float(found[f"ctau_5{suffix}"] / CM_PER_M * energy / m[2])
        for j, distance in WITHIN.items():
            found[f"ccfr_{j}{suffix}"] = float(-np.expm1(-distance / found[f"flight_{j}{suffix}"]))
    return found
