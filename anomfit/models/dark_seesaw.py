"""The dark seesaw: heavy neutrinos, a dark pair D_L, D_R and Z' from one Majorana mass matrix, arXiv:2007.11813.

One active neutrino (that of the muon), three sterile N_k and one dark pair, as at the paper's points. Masses and the
vertices of Z' follow from the matrix; what they make is that of the dark photon with heavy neutrinos (`dark_photon`).
The three lightest heavy states N_4, N_5, N_6 are made and decay; the two above them only share in the mixing. A point
may also state masses and mixings of these three, whatever heavier states there are. Entries and mass states may have
CP-violating phases (`dark_seesaw_phases`), which change decays of heavy states to each other, and leave what a beam
makes and decays to light neutrinos to the sizes of the vertices.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact

from anomfit.errors import reject
from anomfit.models import dark_photon_parameters, dark_seesaw_phases
from anomfit.models import dark_seesaw_parameters as parameters
from anomfit.models.dark_photon import DarkPhoton
from anomfit.parameters import Nuisance, Parametrisation, Point
from anomfit.physics.dark_mixing import mixing_matrix, vertices_of
from anomfit.physics.dark_neutrinos import DarkNeutrinos, reactions
from anomfit.physics.dark_seesaw import (
    Bosons,
    Entries,
    loop_correction,
    mass_matrix,
    mass_states,
    states_of,
    vacuum_expectation_value,
    vertex_phases,
    vertices,
)
from anomfit.physics.heavy_neutrinos import HeavyNeutrinos, of_dark_photon
from anomfit.physics.light_bosons import LightBosons
from anomfit.physics.majorana import MajoranaStates
from anomfit.physics.reaction import AnyReaction
from anomfit.physics.targets import MEASURED_TARGETS, TargetChoices

LOWEST_HEAVY, STATES = 1, (4, 5, 6)  # in order of mass the first state is the light neutrino


@dataclass(frozen=True)
class DarkSeesaw:
    """The model; fields are static choices, targets as in `TargetChoices`.

    loops: whether the finite one-loop entries (`physics.dark_seesaw.loop_correction`), with a scalar phi' of mass m_phi
    (GeV), are added to a matrix of given entries before it is diagonalised. The paper has them in the light mass alone.
    parities: "matrix", or "same" for every pair of heavy neutrinos (all currents axial), whatever signs and phases.
    identical: Z' -> N_j N_j counts "half" of two different states, or "whole". The paper's tables follow from "same"
    and "whole" (docs/dark_seesaw.md).
    """

    name: str = "dark-seesaw"
    title: str = "a dark photon and Majorana neutrinos from one mass matrix"
    targets: TargetChoices = MEASURED_TARGETS
    loops: bool = False
    m_phi: float = 1.0
    parities: Literal["matrix", "same"] = "matrix"
    identical: Literal["half", "whole"] = "half"

    references = ("arXiv:2007.11813", "leveille-1978", "angeli-marinova-2013", "moniz-1971", "pdg-2024")
    nuisances: tuple[Nuisance, ...] = ()

    def __post_init__(self):
        if self.parities not in ("matrix", "same"):
            raise reject("parities", self.parities, "use 'matrix' or 'same'")
        if self.identical not in ("half", "whole"):
            raise reject("identical", self.identical, "use 'half' or 'whole'")

    @property
    def in_vertices(self) -> DarkPhoton:
        """The dark photon's model that does the rest. Z' of its points is virtual, or would fly a micrometre."""
        return DarkPhoton(targets=self.targets, zprime_flies=False)

    @property
    def choices(self) -> Mapping[str, str]:
        """What is assumed of nucleons and nuclei, in words (capability StatesChoices)."""
        rest = {name: words for name, words in self.in_vertices.choices.items() if name != "nu_4"}
        parities = "the CP parities of the matrix" if self.parities == "matrix" else "one CP parity, as published"
        words = f"the three lightest, Majorana particles with {parities}"
        if self.identical == "whole":
            words += "; no 1/2 for two equal ones, as published"
        loops = {"mass matrix": f"with finite one-loop entries, phi' of {self.m_phi:g} GeV"} if self.loops else {}
        return {"heavy neutrinos": words, **loops, **rest}

    @property
    def parametrisations(self) -> Mapping[str, Parametrisation]:
        """lagrangian, mixings (the default card's) and left-right, in which a beam of nu_mu makes N_5 alone.

        complex and mixings-phases are the first two with CP-violating phases.
        """
        return dark_seesaw_phases.PARAMETRISATIONS

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """BP-A to BP-D of the paper's Table III as printed."""
        return parameters.POINTS

    def entries(self, point: Point) -> Entries:
        """The mass matrix of a point that states it, complex if it names phases."""
        entries = parameters.entries(point)
        if not dark_seesaw_phases.has_complex_entries(point):
            return entries
        return dark_seesaw_phases.with_phases(entries, point)

    def mass_states(self, point: Point) -> MajoranaStates:
        """Masses (GeV, signed if real) and U, lightest first: all states of a matrix, nu_3 to N_6 of given mixings.

        The light mass is 0 where mixings are given, else what the digits of the entries make it, with `loops` or not.
        """
        if parameters.has_angles(point):
            masses = jnp.append(0.0, parameters.signed_masses(point))
            return MajoranaStates(masses, mixing_matrix(parameters.angles(point)))
        entries = self.entries(point)
        states = mass_states(entries)
        if not self.loops:
            return states
        correction = loop_correction(states, entries, self.bosons(point))
        return states_of(mass_matrix(entries) + correction)

    def bosons(self, point: Point) -> Bosons:
        """Z' and phi', whose mass is the model's."""
        v_Phi = vacuum_expectation_value(point["m_Zprime"], point["alpha_D"])
        return Bosons(point["m_Zprime"], self.m_phi, v_Phi)

    def non_unitarity(self, point: Point) -> Float[Array, ""]:
        """1 - |U_mu3|^2, what nu_mu lacks as a light neutrino: |U_muj|^2 of all heavy states, of N_7 and N_8 too."""
        return jnp.sum(jnp.abs(self.mass_states(point).mixing[0, LOWEST_HEAVY:]) ** 2)

    def vertices(self, point: Point) -> dict[str, Float[Array, ""]]:
        """Masses and vertices of the three lightest heavy states, a physical point of `dark_photon`.

        Masses are signed where the mixing is real, else there are phases of vertices. What the printed digits of the
        matrix leave of the light mass does not matter here.
        """
        states = self.mass_states(point)
        if parameters.has_angles(point):
            return _named(states, vertices_of(states.mixing), point) | dark_seesaw_phases.majorana_phases(point)
        v_Phi = vacuum_expectation_value(point["m_Zprime"], point["alpha_D"])
        return _named(states, vertices(states, self.entries(point), v_Phi).V, point)

    def dark_neutrinos(self, point: Point) -> DarkNeutrinos:
        """N_4, N_5, N_6 and Z' (capability HasDarkNeutrinos)."""
        return self._as_chosen(self.in_vertices.dark_neutrinos(self.vertices(point)))

    def _as_chosen(self, states: DarkNeutrinos) -> DarkNeutrinos:
        """The states with the parities and the factor of equal ones that the model's fields ask for."""
        if self.parities == "same":
            states = replace(states, mass=states.size, phase=None)
        if self.identical == "whole":
            equal = jnp.where(np.eye(len(STATES), dtype=bool), math.sqrt(2.0), 1.0)
            states = replace(states, between=equal * states.between)
        return states

    def heavy_neutrinos(self, point: Point) -> HeavyNeutrinos:
        """N_4, N_5, N_6 with their mixing with nu_mu (capability MixesHeavyNeutrinos)."""
        return of_dark_photon(self.dark_neutrinos(point))

    def reactions(self, point: Point, nuisances: Point) -> tuple[AnyReaction, ...]:
        """nu_mu + target -> N_j + target, N_j -> N_k e+e- or nu e+e-, j = 4, 5, 6 (capability Upscatters)."""
        made = STATES
        if parameters.has_angles(point) and parameters.is_symmetric(point):
            made = (5,)  # V_43 = V_63 = 0
        states, form_factors = self.dark_neutrinos(point), self.targets.form_factors(nuisances)
        return reactions(states, form_factors, zprime_flies=False, made=tuple(STATES.index(j) for j in made))

    def lepton_moment(self, point: Point, lepton: str) -> Float[Array, ""]:
        """Delta a_l of Z' (capability PredictsLeptonMoment)."""
        return self.in_vertices.lepton_moment(point, lepton)

    def light_bosons(self, point: Point) -> tuple[LightBosons, ...]:
        """Z' (capability HasLightBosons)."""
        return (self.in_vertices.vector(point, self.dark_neutrinos(point)),)

    def largest_coupling(self, point: Point) -> Float[Array, ""]:
        """g_X, or e epsilon if that is larger (capability HasCouplings)."""
        return self.in_vertices.largest_coupling(point)


def _named(states: MajoranaStates, V: Inexact[Array, "states states"], point: Point) -> dict[str, Float[Array, ""]]:
    """Masses, vertices and mixings by the names of `dark_photon`, with the couplings of the point."""
    place = {3: 0} | {j: LOWEST_HEAVY + i for i, j in enumerate(STATES)}
    sizes, phases = V, {}
    if jnp.iscomplexobj(V):
        sizes, of = jnp.abs(V), vertex_phases(V)
        phases = {name: of[place[j], place[k]] for (j, k), name in dark_photon_parameters.PHASES.items()}
    found = {f"V_{j}{k}": sizes[place[j], place[k]] for j in STATES for k in place if k <= j}
    masses = {f"m_N{j}": states.masses[place[j]] for j in STATES}
    mixings = {f"U_mu{j}": jnp.abs(states.mixing[0, place[j]]) for j in STATES}
    return {**found, **phases, **masses, **mixings, **{name: point[name] for name in parameters.SHARED}}


dark_seesaw = DarkSeesaw()
as_published = DarkSeesaw(
    name="dark-seesaw-as-published",
    title="the same as in arXiv:2007.11813: one CP parity, no 1/2 for equal states, Helm's form factor, free nucleons",
    targets=TargetChoices(nucleus="helm", bound="none"),
    parities="same",
    identical="whole",
)
