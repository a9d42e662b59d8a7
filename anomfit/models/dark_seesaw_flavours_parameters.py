"""Parameters of the dark seesaw with three active generations: `dark_seesaw_parameters` with nu_e and nu_tau.

lagrangian: M_De and M_Dtau are rows of the mass matrix beside the muon's M_D.
mixings: nu_e and nu_tau mix as nu_mu does with every state, in the ratios electron_ratio and tau_ratio: M_D has rank 1,
as at BP-D of arXiv:2007.11813 (above equation A4), and two of three light neutrinos have no mass.
flavours: any U_ej and U_tauj, with their signs beside U_muj. Not any of them follow from three sterile states: the
entries (alpha beta), (alpha D_L), (alpha D_R), (D_L D_L) and (D_R D_R) are 0 only if five heavier states fill them.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.models import dark_seesaw_parameters as of_muon
from anomfit.models.dark_seesaw_parameters import SHARED, STERILE, has_angles
from anomfit.parameters import Parameter, Parametrisation, Point
from anomfit.physics.dark_flavours import ACTIVE, nearest_flavours
from anomfit.physics.dark_seesaw import BENCHMARK_ELECTRON_RATIO, Entries, field_rows, mass_states

HEAVY = (4, 5, 6)
RATIOS = ("electron_ratio", "tau_ratio")
ROWS = ("M_De", "M_D", "M_Dtau")
"""Names of the rows of M_D in order of flavour, without the number of the sterile state."""

PROPORTIONAL = 1e-9
"""By what part of its largest entry a row of M_D, or of mixings, may differ from a multiple of the muon's."""

_LAGRANGIAN, _MIXINGS = (of_muon.PARAMETRISATIONS[name] for name in ("lagrangian", "mixings"))


def _rows(row: str, words: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            f"{row}{k}",
            rf"$M_{{D_{k}}}^{{{'e' if row == 'M_De' else chr(92) + 'tau'}}}$",
            "GeV",
            -0.05,
            0.05,
            "uniform",
            f"Dirac mass of {words} and N_{k}",
        )
        for k in STERILE
    )


_RATIO_PARAMETERS = tuple(
    Parameter(name, symbol, "1", 0.0, 2.0, "uniform", f"mixing of {words} with N_j over nu_mu's, for all j")
    for name, symbol, words in (
        ("electron_ratio", r"$U_{ej}/U_{\mu j}$", "nu_e"),
        ("tau_ratio", r"$U_{\tau j}/U_{\mu j}$", "nu_tau"),
    )
)
_SIGNED = {
    flavour: tuple(
        Parameter(
            f"U_{flavour}{j}",
            rf"$U_{{{symbol} {j}}}$",
            "1",
            -0.1,
            0.1,
            "uniform",
            f"mixing of nu_{flavour} with N_{j}, its sign beside U_mu{j}",
        )
        for j in HEAVY
    )
    for flavour, symbol in (("e", "e"), ("tau", r"\tau"))
}


def entries(point: Point) -> Entries:
    """The mass matrix of a point: three generations, three sterile states, one dark pair."""
    rows = [jnp.stack([point[f"{row}{k}"] for k in STERILE]) for row in ROWS]
    return of_muon.entries(point)._replace(M_D=jnp.stack(rows))


def mixings(point: Point) -> Float[Array, "3 3"]:
    """U_aj of a point of masses and mixings, a flavour a row and N_4, N_5, N_6 a column."""
    muon = jnp.stack([point[f"U_mu{j}"] for j in HEAVY])
    if "electron_ratio" in point:
        return jnp.stack([point["electron_ratio"] * muon, muon, point["tau_ratio"] * muon])
    electron, tau = (jnp.stack([point[f"U_{flavour}{j}"] for j in HEAVY]) for flavour in _SIGNED)
    return jnp.stack([electron, muon, tau])


def _point(name: str) -> dict[str, float]:
    own = of_muon.POINTS[name]
    ratio = BENCHMARK_ELECTRON_RATIO if name == "BP-D" else 0.0
    electron = {f"M_De{k}": ratio * own[f"M_D{k}"] for k in STERILE}
    return {**electron, **own, **{f"M_Dtau{k}": 0.0 for k in STERILE}}


POINTS = {name: _point(name) for name in of_muon.POINTS}
"""BP-A to BP-D: nu_mu alone mixes, but at BP-D, where the paper has M_D of the electron 0.11 times the muon's."""


@jax.jit
def _of_matrix(point: dict) -> tuple[dict, Float[Array, "3 3"]]:
    """Masses, angles and couplings by name, and U_aj, of the states of a matrix."""
    matrix = entries(point)
    states, rows = mass_states(matrix), field_rows(matrix)
    fields = jnp.concatenate([states.mixing[block] for block in (rows.active, rows.left, rows.right)])
    angles, of_flavours = nearest_flavours(fields[:, : ACTIVE + len(HEAVY)])
    m_4, m_5, m_6 = states.masses[ACTIVE : ACTIVE + len(HEAVY)]
    return {
        **{"m_N6": jnp.abs(m_6), "m_N5_over_m_N6": jnp.abs(m_5 / m_6), "m_N4_over_m_N5": m_4 / m_5},
        **{name: getattr(angles, name) for name in ("theta_46", "theta_45", "theta_56")},
        **{name: point[name] for name in SHARED},
    }, of_flavours


def _to_flavours(point: Point) -> dict:
    """Masses, angles and all nine mixings."""
    if not has_angles(point):
        kept, of_flavours = _of_matrix(dict(point))
    else:
        of_flavours = mixings(point)
        kept = {name: value for name, value in point.items() if name not in RATIOS}
    named = {
        f"U_{flavour}{j}": of_flavours[row, i]
        for row, flavour in enumerate(("e", "mu", "tau"))
        for i, j in enumerate(HEAVY)
    }
    return {**kept, **named}


def _to_mixings(point: Point) -> dict:
    """The same of a point whose rows of M_D, or of mixings, are proportional; of another one the couplings alone."""
    if "electron_ratio" in point:
        return dict(point)
    rows = np.asarray(mixings(point) if has_angles(point) else entries(point).M_D)
    electron, muon, tau = rows
    ratios = np.array([electron @ muon, tau @ muon]) / (muon @ muon) if np.any(muon) else np.zeros(2)
    rest = rows[[0, 2]] - ratios[:, None] * muon
    if np.any(ratios < 0.0) or np.max(np.abs(rest)) > PROPORTIONAL * np.max(np.abs(rows)):
        return {name: point[name] for name in SHARED}
    found = {name: value for name, value in _to_flavours(point).items() if not name.startswith(("U_e", "U_tau"))}
    return {**found, **{name: jnp.asarray(ratio) for name, ratio in zip(RATIOS, ratios, strict=True)}}


PARAMETRISATIONS = {
    "mixings": Parametrisation(
        "mixings",
        (*_MIXINGS.parameters, *_RATIO_PARAMETERS),
        dict,
        _to_mixings,
        {},
    ),
    "flavours": Parametrisation(
        "flavours",
        (*_MIXINGS.parameters, *_SIGNED["e"], *_SIGNED["tau"]),
        dict,
        _to_flavours,
        {},
    ),
    "lagrangian": Parametrisation(
        "lagrangian",
        (*_LAGRANGIAN.parameters, *_rows("M_De", "nu_e"), *_rows("M_Dtau", "nu_tau")),
        dict,
        dict,
        {},
    ),
}
