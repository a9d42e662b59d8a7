"""The numbers of arXiv:2007.11813 that follow from its mass matrix: Tables I to V without lifetimes and Z' decays.

Each group is a function of the benchmarks and gives numbers by the id of their statement in data/reproduce/. What holds
at a point is a pure function of its inputs, `linearised` and compiled once for the four points. Beside each number
stands a second computation, which shares no code with the first (`dark_seesaw_second`).
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp

from anomfit.models import dark_seesaw_parameters as parameters
from anomfit.models.dark_seesaw import DarkSeesaw, dark_seesaw
from anomfit.parameters import Point
from anomfit.physics.dark_seesaw import (
    Bosons,
    Vertices,
    field_rows,
    light_masses,
    loop_correction,
    mass_states,
    vacuum_expectation_value,
    vertices,
)
from anomfit.physics.majorana import MajoranaStates, mass_matrix_of
from anomfit.reproduce import dark_seesaw_second as second
from anomfit.reproduce.inputs import Input, Linearised, linearised, load_inputs
from anomfit.reproduce.statements import Computed, load_statements

PAPER = "2007.11813"
LABELS = ("A", "B", "C", "D")
STATES = (4, 5, 6)
PLACES = {3: 0, 4: 1, 5: 2, 6: 3, 7: 4, 8: 5}  # in order of mass
DARK_PAIRS = ("44", "45", "46", "55", "56", "66")
LIGHT_PAIRS = ("43", "53", "63")
_BLOCKS = ("M_D", "M_", "Lambda_L", "Lambda_R")
MATRIX = (*(f"{block}{k}" for block in _BLOCKS for k in parameters.STERILE), "M_X")
OF_A_POINT = (*MATRIX, "alpha_D")  # what Table III and Table II print for each; the rest is the same for all
VARIED = (*OF_A_POINT, "epsilon", "m_Zprime", "m_phi")
SYMMETRIC = ("A",)  # Lambda_R is Lambda_L, whatever its digits
PROBABILITIES = {"U_mu": 0, "U_N1": 1, "U_N2": 2, "U_N3": 3, "U_DL": 4, "U_DR": 5}  # rows of Table IV and of U
FAMILIES = {
    **{field: tuple(f"{field}{j}" for j in STATES) for field in PROBABILITIES},
    **{f"{vertex}_light": tuple(f"{vertex}_{jk}" for jk in LIGHT_PAIRS) for vertex in "VS"},
    **{f"{vertex}_dark": tuple(f"{vertex}_{jk}" for jk in DARK_PAIRS) for vertex in "VS"},
    "B": tuple(f"B_{jk}" for jk in DARK_PAIRS),
}
"""Numbers of one row of a table, of which a point may have some that the paper prints as 0."""

MEV, EV = 1e3, 1e9  # a GeV in these units
ROUNDING = 1e-28  # a squared vertex below it is 0
FORBIDDEN = "The left-right symmetry forbids it: 0 up to rounding."


class Benchmarks(NamedTuple):
    """The four points by letter, with everything that the paper puts in.

    points: all inputs of each by name; inputs: those that may move, those of a point as "A.M_D1".
    """

    model: DarkSeesaw
    points: Mapping[str, Mapping[str, float]]
    inputs: Mapping[str, Input]


def benchmarks() -> Benchmarks:
    """The points that ship with the model, and the other inputs of the paper."""
    common = load_inputs(PAPER)
    central = {name: given.value for name, given in common.items()}
    inputs = dict(common)
    for label in LABELS:
        inputs |= {f"{label}.{name}": given for name, given in load_inputs(PAPER, f"inputs_{label}").items()}
    points = {label: central | dict(dark_seesaw.points[f"BP-{label}"]) for label in LABELS}
    return Benchmarks(dark_seesaw, points, inputs)


def calculations() -> tuple[tuple[Callable[[], Mapping[str, Computed]], ...], Mapping[str, Input]]:
    """All groups of calculations, in the order of the statements, and the inputs."""
    from anomfit.reproduce import dark_seesaw_babar as babar
    from anomfit.reproduce import dark_seesaw_decays as decays
    from anomfit.reproduce import dark_seesaw_electrons as electrons
    from anomfit.reproduce import dark_seesaw_electroweak as electroweak
    from anomfit.reproduce import dark_seesaw_mixing as mixing
    from anomfit.reproduce import dark_seesaw_rates as rates

    given = benchmarks()
    functions = (matrix_alone, decays.tables, decays.text, states_in_text, electrons.mixings, electroweak.numbers)
    # rates are last, since they share a flux
    functions = (*functions, babar.at_colliders, mixing.limits_on_mixings, rates.numbers)
    return tuple(partial(function, given) for function in functions), given.inputs


# -- at the four points ---------------------------------------------------------------------------------------------


class AtPoints(NamedTuple):
    """The same numbers at every point, each with its slopes, and those of a second computation."""

    found: Mapping[str, Linearised]
    again: Mapping[str, Mapping[str, float]]

    def computed(self, label: str, name: str, detail: str = "") -> Computed:
        """A number at a point with what the second computation says; slopes carry the names of the point's inputs."""
        at = self.found[label]
        slopes = {f"{label}.{key}" if key in OF_A_POINT else key: slope for key, slope in at.slopes[name].items()}
        checked = self.again.get(label, {}).get(name)
        words = [detail] if detail else []
        if checked is not None:
            words.append(f"A second computation has {checked:.4g}.")
        return Computed(at.numbers[name], " ".join(words), slopes)

    def extreme(
        self, names: Iterable[str], labels: Iterable[str] = LABELS, choose: Callable[..., Any] = max
    ) -> Computed:
        """The largest, or smallest, of these numbers at these points, and where it is."""
        places = [(label, name) for label in labels for name in names]
        label, name = choose(places, key=lambda place: self.found[place[0]].numbers[place[1]])
        return self.computed(label, name, f"BP-{label}, {name}.")

    def values(self, name: str) -> str:
        """A number at every point, in words."""
        return ", ".join(f"{at.numbers[name]:.3g}" for at in self.found.values())


def at_points(
    function: Any,
    given: Benchmarks,
    again: Mapping[str, Mapping[str, float]],
    inputs: Iterable[str] = VARIED,
    data: Any = None,
) -> AtPoints:
    """`linearised` at each point, compiled once.

    `function` gets whether the point has Lambda_R = Lambda_L, or a pair of this and `data` if there are data.
    """
    found = {}
    for label, point in given.points.items():
        symmetric = jnp.asarray(label in SYMMETRIC)
        told = symmetric if data is None else (symmetric, data)
        found[label] = linearised(function, given.model, point, inputs, told)
    return AtPoints(found, again)


def printed(
    at: AtPoints, families: Iterable[str], details: Mapping[str, Mapping[str, str]], kept: tuple[str, ...] = ("",)
) -> dict[str, Computed]:
    """The numbers of a point that have a statement; of each family the largest of those that are printed as 0.

    kept: how the names of the numbers begin.
    """
    statements, found = load_statements(PAPER), {}
    for label, linear in at.found.items():
        for name in linear.numbers:
            if name.startswith(kept) and f"{name}_{label}" in statements:
                found[f"{name}_{label}"] = at.computed(label, name, details.get(label, {}).get(name, ""))
        for family in families:
            zeros = [name for name in FAMILIES[family] if f"{name}_{label}" not in statements]
            if zeros:
                found[f"{family}_zero_{label}"] = at.extreme(zeros, (label,))
    return found


# -- what the matrix gives ------------------------------------------------------------------------------------------


class Solved(NamedTuple):
    """Matrix, states and vertices of a point."""

    entries: parameters.Entries
    states: MajoranaStates
    vertices: Vertices
    v_Phi: Any


def left_right(point: Point, symmetric) -> dict:
    """The point; a left-right symmetric one has Lambda_R = Lambda_L."""
    sides = {k: (point[f"Lambda_L{k}"], point[f"Lambda_R{k}"]) for k in parameters.STERILE}
    return {**point, **{f"Lambda_R{k}": jnp.where(symmetric, left, right) for k, (left, right) in sides.items()}}


def solved(point: Point, symmetric) -> Solved:
    """The states at tree level, of a left-right symmetric point or of another."""
    entries = parameters.entries(left_right(point, symmetric))
    states, v_Phi = mass_states(entries), vacuum_expectation_value(point["m_Zprime"], point["alpha_D"])
    return Solved(entries, states, vertices(states, entries, v_Phi), v_Phi)


def _of_matrix(model: DarkSeesaw, point: Point, symmetric):
    """Tables II to V by name, in eV (m_3), MeV (other masses) and GeV (entries); and the light mass by part."""
    entries, states, found, v_Phi = solved(point, symmetric)
    bosons = Bosons(point["m_Zprime"], point["m_phi"], v_Phi)
    tree = states.masses[0]
    loops = [
        light_masses(states, loop_correction(states, entries, bosons, feynman))[0] - tree for feynman in (False, True)
    ]
    numbers = {f"m_{j}": MEV * jnp.abs(states.masses[PLACES[j]]) for j in STATES}
    numbers["m_3"] = EV * jnp.abs(tree + loops[0])
    numbers |= {
        f"{field}{j}": states.mixing[row, PLACES[j]] ** 2 for field, row in PROBABILITIES.items() for j in STATES
    }
    for vertex, pairs in (("V", LIGHT_PAIRS + DARK_PAIRS), ("S", ("33", *LIGHT_PAIRS, *DARK_PAIRS))):
        factors = getattr(found, vertex)
        numbers |= {f"{vertex}_{jk}": factors[PLACES[int(jk[0])], PLACES[int(jk[1])]] ** 2 for jk in pairs}
    numbers |= _entries_back(states, entries)
    numbers["alpha_D"] = (point["m_Zprime"] / v_Phi) ** 2 / (4.0 * jnp.pi)
    numbers |= {f"m_{j}_heavy": jnp.abs(states.masses[PLACES[j]]) for j in (7, 8)}
    numbers |= {f"sterile_{j}": states.mixing[2, PLACES[j]] ** 2 + states.mixing[3, PLACES[j]] ** 2 for j in (7, 8)}
    numbers["V_6_over_5"] = numbers["V_63"] / jnp.where(numbers["V_53"] > 0.0, numbers["V_53"], 1.0)
    numbers["V_sum"] = jnp.sum(found.V**2)
    yukawas = 2.0 * (jnp.sum(entries.Lambda_L**2) + jnp.sum(entries.Lambda_R**2)) / v_Phi**2
    numbers["S_sum"] = jnp.sum(found.S**2) / yukawas
    numbers["v_Phi"] = v_Phi
    return numbers, {"tree": EV * tree, "loop": EV * loops[0], "feynman": EV * loops[1]}


def _entries_back(states: MajoranaStates, entries: parameters.Entries):
    """The entries of Table III from masses and mixings, M = U^* diag(m) U^dagger."""
    matrix, rows = mass_matrix_of(states), field_rows(entries)
    found = {"M_X": matrix[rows.left, rows.right][0, 0]}
    for k in parameters.STERILE:
        row = matrix[k]
        found |= {f"M_D{k}": row[0], f"M_{k}": row[k]}
        found |= {f"Lambda_L{k}": row[rows.left][0], f"Lambda_R{k}": row[rows.right][0]}
    return found


def states_at_points(given: Benchmarks) -> AtPoints:
    """All that follows from the matrix alone."""
    again = {label: second.of_matrix(point, label in SYMMETRIC) for label, point in given.points.items()}
    return at_points(_of_matrix, given, again)


def matrix_alone(given: Benchmarks) -> dict[str, Computed]:
    """Tables I to V but for decays; the two boson parameters that are the same at all points."""
    at = states_at_points(given)
    families = [family for family in FAMILIES if family != "B"]
    details = {label: _details(label, at) for label in at.found}
    point = given.points[LABELS[0]]
    return printed(at, families, details) | {
        "m_Zprime": Computed(point["m_Zprime"], slopes={"m_Zprime": 1.0}),
        "epsilon_squared": Computed(point["epsilon"] ** 2, slopes={"epsilon": 2.0 * point["epsilon"]}),
        "m_phi": Computed(point["m_phi"]),
        "m_phi_table": Computed(point["m_phi"]),
    }


def _details(label: str, at: AtPoints) -> dict[str, str]:
    """What rows of a point say besides their number."""
    parts = {name: float(value) for name, value in at.found[label].others.items()}
    mass = (
        f"Tree level {parts['tree']:.3g} eV, one loop {parts['loop']:.3g} eV "
        f"({parts['feynman']:.3g} eV in Feynman's gauge)."
    )
    one_sided = {
        name.removesuffix("_one_sided"): f"U_N^T (Y_L U_DL + Y_R U_DR) alone has {value:.4g}."
        for name, value in at.again[label].items()
        if name.endswith("_one_sided")
    }
    numbers = at.found[label].numbers
    forbidden = {name: FORBIDDEN for name in one_sided if name in numbers and numbers[name] < ROUNDING}
    return {"m_3": mass, **one_sided, **forbidden}


def states_in_text(given: Benchmarks) -> dict[str, Computed]:
    """Numbers of the text that are those of states and vertices."""
    at = states_at_points(given)
    sums = {name: at.computed(LABELS[0], name, f"All points: {at.values(name)}.") for name in ("V_sum", "S_sum")}
    return {
        "light_vertex_5_A": at.computed("A", "V_53"),
        "light_vertex_5_B": at.computed("B", "V_53"),
        "light_vertex_6_B": at.computed("B", "V_63"),
        "light_vertices_B": at.computed("B", "V_6_over_5"),
        "v_Phi_text": at.extreme(("v_Phi",), ("A", "B")),
        "v_Phi_all": at.extreme(("v_Phi",)),
        "m_7_text": at.extreme(("m_7_heavy",), choose=min),
        "sterile_content": at.extreme(("sterile_7", "sterile_8"), choose=min),
        **sums,
    }
