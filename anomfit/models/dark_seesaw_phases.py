"""CP-violating phases of the dark seesaw as parameters: of the entries of its mass matrix, or of its mass states.

complex: the entries of `lagrangian` with a phase on each that fields cannot absorb. M_1, M_2, M_3 are real (signed),
which fixes N_k but for a sign; phases of nu_mu, D_L and D_R make M_D1, Lambda_L1 and Lambda_R1 real. Seven are left.
mixings-phases: `mixings` with the Majorana phases of N_4 and N_6 beside N_5, columns of U times e^{i beta}. Sizes of
the vertices stay, V_jk becomes V_jk e^{i(beta_k - beta_j)}, and beta = pi/2 is the opposite sign of a mass. Phases
that change sizes of vertices too (three more, of a complex U) are in `complex` alone.
"""

import math
from dataclasses import replace

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.errors import InputError
from anomfit.models import dark_photon_parameters, dark_seesaw_parameters
from anomfit.models.dark_seesaw_parameters import STERILE, has_angles
from anomfit.parameters import Parameter, Parametrisation, Point
from anomfit.physics.dark_seesaw import Entries

FIELDS = ("M_D", "Lambda_L", "Lambda_R")
_OF_ENTRIES = {
    **{f"{field}{k}": f"phase_{field}{k}" for field in FIELDS for k in STERILE[1:]},
    "M_X": "phase_M_X",
}
"""Entries that have a phase, and its name."""

_LAGRANGIAN, _MIXINGS, _LEFT_RIGHT = (
    dark_seesaw_parameters.PARAMETRISATIONS[name] for name in ("lagrangian", "mixings", "left-right")
)
_PHASES = tuple(
    Parameter(
        name,
        rf"$\arg\,{_LAGRANGIAN[entry].symbol.strip('$')}$",
        "1",
        -math.pi,
        math.pi,
        "uniform",
        f"phase of {entry}, rad, beside its sign",
    )
    for entry, name in _OF_ENTRIES.items()
)
_BETAS = tuple(
    Parameter(
        f"beta_{j}",
        rf"$\beta_{j}$",
        "1",
        -0.5 * math.pi,
        0.5 * math.pi,
        "uniform",
        f"Majorana phase of N_{j} beside N_5, rad",
    )
    for j in (4, 6)
)


def has_complex_entries(point: Point) -> bool:
    """Whether a physical point of entries names phases of them."""
    return any(name in point for name in _OF_ENTRIES.values())


def with_phases(entries: Entries, point: Point) -> Entries:
    """Real entries times e^{i phase}."""
    nothing = jnp.zeros_like(point["M_X"])

    def turned(field: str, of: tuple[str, ...]):
        phases = jnp.stack([point.get(_OF_ENTRIES.get(name, ""), nothing) for name in of])
        real = getattr(entries, field)
        return real * jnp.exp(1j * phases.reshape(real.shape))

    rows = {field: turned(field, tuple(f"{field}{k}" for k in STERILE)) for field in FIELDS}
    return entries._replace(M_N=entries.M_N + 0j, M_X=turned("M_X", ("M_X",)), **rows)


def majorana_phases(point: Point) -> dict[str, Float[Array, ""]]:
    """The phases of vertices, by the names of `dark_photon`, of a point with beta_4 and beta_6; none of another."""
    if not any(p.name in point for p in _BETAS):
        return {}
    beta = {j: point.get(f"beta_{j}", jnp.zeros_like(point["theta_46"])) for j in (4, 5, 6)}
    return {name: beta[k] - beta[j] for (j, k), name in dark_photon_parameters.PHASES.items()}


# -- parametrisations -------------------------------------------------------------------------------------------------


_NAMES = tuple(p.name for p in (*_PHASES, *_BETAS))


def without_phases(point: Point) -> dict:
    """The point without its phases, all 0; InputError where one is not."""
    kept = {name: value for name, value in point.items() if name not in _NAMES}
    if any(float(point[name]) != 0.0 for name in _NAMES if name in point):
        words = 'use "complex" for phases of entries, "mixings-phases" for those of N_4 and N_6'
        raise InputError(f"parametrisation: this point has phases, which have no place here; {words}")
    return kept


def _to_complex(point: Point) -> dict:
    """The point with the phases that it has, and 0 for the others; of masses and mixings the couplings have a place."""
    nothing = jnp.zeros_like(point["alpha_D"])
    return dict.fromkeys(_OF_ENTRIES.values(), nothing) | dict(point)


def _to_mixings_phases(point: Point) -> dict:
    """Masses, mixings and phases of a point that has angles, or of real entries."""
    nothing = jnp.zeros_like(point["alpha_D"])
    betas = {p.name: point.get(p.name, nothing) for p in _BETAS}
    if has_angles(point):
        return dict(point) | betas
    return _MIXINGS.from_physical(without_phases(point)) | betas


def _real(of: Parametrisation) -> Parametrisation:
    """The same for points whose phases are 0."""

    def from_physical(point: Point) -> dict:
        return of.from_physical(without_phases(point))

    return replace(of, from_physical=from_physical)


PARAMETRISATIONS = {
    **{of.name: _real(of) for of in (_LAGRANGIAN, _MIXINGS, _LEFT_RIGHT)},
    "complex": Parametrisation("complex", (*_LAGRANGIAN.parameters, *_PHASES), dict, _to_complex, {}),
    "mixings-phases": Parametrisation(
        "mixings-phases",
        (*_MIXINGS.parameters, *_BETAS),
        dict,
        _to_mixings_phases,
        {},
    ),
}
