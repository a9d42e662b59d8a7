"""BP-D of arXiv:2007.11813 with electrons: equation A4, and the effective mass of double beta decay, equation B19.

Two active neutrinos with M_D^e = r M_D^mu: one state is massless, and U_ej = r U_mu j for every heavy one.
"""

import jax.numpy as jnp
import numpy as np

from anomfit.parameters import Point
from anomfit.physics.dark_seesaw import mass_states
from anomfit.reproduce import dark_seesaw_second as second
from anomfit.reproduce.dark_seesaw import MATRIX, Benchmarks, solved
from anomfit.reproduce.dark_seesaw_mixing import limit_weakens
from anomfit.reproduce.inputs import linearised
from anomfit.reproduce.statements import Computed

LABEL = "D"
EV = 1e9


def _numbers(model, point: Point, data):
    """|U_ej|^2 of the heavy states and the effective mass in eV, all states real."""
    entries = solved(point, False).entries
    ratio, momentum = point["electron_ratio"], point["nuclear_momentum"]
    states = mass_states(entries._replace(M_D=jnp.concatenate([ratio * entries.M_D, entries.M_D])))
    electron = states.mixing[0] ** 2
    masses = states.masses.at[:2].set(jnp.array([0.0, point["light_mass"]]))  # not fixed by the digits
    parts = masses * electron / (1.0 + (masses / momentum) ** 2)
    numbers = {f"U_e{j}": electron[j - 2] for j in (4, 5, 6)} | {"m_betabeta": EV * jnp.abs(jnp.sum(parts))}
    return numbers, {"parts": EV * parts}


def mixings(given: Benchmarks) -> dict[str, Computed]:
    """Equation A4 and B19."""
    point = given.points[LABEL]
    found = linearised(_numbers, given.model, point, (*MATRIX, "electron_ratio", "light_mass"))
    again = _again(point)
    parts = ", ".join(f"{1e3 * part:.3g}" for part in found.others["parts"][2:])
    details = {"m_betabeta": f"N_4 to N_8 add {parts} meV, in the order of their masses."}
    made = {}
    for name in found.numbers:
        words = f"{details.get(name, '')} A second computation has {again[name]:.4g}.".strip()
        slopes = {f"{LABEL}.{key}" if key in MATRIX else key: slope for key, slope in found.slopes[name].items()}
        made[name] = Computed(found.numbers[name], words, slopes)
    fifth, weaker = made["U_e5"], limit_weakens()
    words = f"{fifth.value:.3g} over {weaker:.3g}, by which a life of 5 ns weakens NA62's limit."
    again_words = f"{words} A second computation of U_e5^2 makes it {again['U_e5_seen']:.4g}."
    made["U_e5_seen"] = Computed(
        fifth.value / weaker, again_words, {key: slope / weaker for key, slope in fifth.slopes.items()}
    )
    return made


def _again(point) -> dict[str, float]:
    """From LAPACK's states of the matrix of seven fields; light states count with their mass as given."""
    single = second.matrix_of(point, False)
    matrix = np.zeros((7, 7))
    matrix[1:, 1:] = single
    matrix[0, 1:] = matrix[1:, 0] = point["electron_ratio"] * single[0]
    masses, U = second.eigenstates(matrix)
    masses[:2] = 0.0, point["light_mass"]
    size = np.abs(np.sum(masses * U[0] ** 2 / (1.0 + (masses / point["nuclear_momentum"]) ** 2)))
    electron = {f"U_e{j}": float(U[0, j - 2] ** 2) for j in (4, 5, 6)}
    return electron | {"U_e5_seen": electron["U_e5"] / limit_weakens(), "m_betabeta": float(EV * size)}
