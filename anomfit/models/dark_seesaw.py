"""The dark seesaw: heavy neutrinos, a dark pair D_L, D_R and Z' from one Majorana mass matrix, arXiv:2007.11813.

One active neutrino (that of the muon), three sterile N_k and one dark pair, as at the paper's points. Masses and the
vertices of Z' follow from the matrix; what they make is that of the dark photon with heavy neutrinos (`dark_photon`).
The three lightest heavy states N_4, N_5, N_6 are made and decay; the two above them only share in the mixing. A point
may also state masses and mixings of these three, whatever heavier states there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.models import dark_seesaw_parameters as parameters
from anomfit.models.dark_photon import DarkPhoton
from anomfit.parameters import Nuisance, Parametrisation, Point
from anomfit.physics.dark_mixing import mixing_matrix, vertices_of
from anomfit.physics.dark_neutrinos import DarkNeutrinos, reactions
from anomfit.physics.dark_seesaw import mass_states, vacuum_expectation_value, vertices
from anomfit.physics.heavy_neutrinos import HeavyNeutrinos
from anomfit.physics.light_bosons import LightBosons
from anomfit.physics.majorana import MajoranaStates
from anomfit.physics.reaction import AnyReaction
from anomfit.physics.targets import MEASURED_TARGETS, TargetChoices

LOWEST_HEAVY, STATES = 1, (4, 5, 6)  # in order of mass the first state is the light neutrino


@dataclass(frozen=True)
class DarkSeesaw:
    """The model; fields are static choices, targets as in `TargetChoices`."""

    name: str = "dark-seesaw"
    title: str = "a dark photon and Majorana neutrinos from one mass matrix"
    targets: TargetChoices = MEASURED_TARGETS

    references = ("arXiv:2007.11813", "leveille-1978", "angeli-marinova-2013", "moniz-1971", "pdg-2024")
    nuisances: tuple[Nuisance, ...] = ()

    @property
    def in_vertices(self) -> DarkPhoton:
        """The dark photon's model that does the rest. Z' of its points is virtual, or would fly a micrometre."""
        return DarkPhoton(targets=self.targets, zprime_flies=False)

    @property
    def choices(self) -> Mapping[str, str]:
        """What is assumed of nucleons and nuclei, in words (capability StatesChoices)."""
        rest = {name: words for name, words in self.in_vertices.choices.items() if name != "nu_4"}
        return {"heavy neutrinos": "the three lightest, Majorana particles with the CP parities of the matrix", **rest}

    @property
    def parametrisations(self) -> Mapping[str, Parametrisation]:
        """lagrangian, mixings (the default card's) and left-right, in which a beam of nu_mu makes N_5 alone."""
        return parameters.PARAMETRISATIONS

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """BP-A to BP-D of the paper's Table III as printed."""
        return parameters.POINTS

    def vertices(self, point: Point) -> dict[str, Float[Array, ""]]:
        """Masses (signed) and vertices of the three lightest heavy states, a physical point of `dark_photon`.

        Tree level. What the printed digits of the matrix leave of the light mass does not matter here.
        """
        if parameters.has_angles(point):
            mixing = mixing_matrix(parameters.angles(point))
            states, V = MajoranaStates(jnp.append(0.0, parameters.signed_masses(point)), mixing), vertices_of(mixing)
            return _named(states, V, point)
        entries = parameters.entries(point)
        states = mass_states(entries)
        v_Phi = vacuum_expectation_value(point["m_Zprime"], point["alpha_D"])
        return _named(states, vertices(states, entries, v_Phi).V, point)

    def dark_neutrinos(self, point: Point) -> DarkNeutrinos:
        """N_4, N_5, N_6 and Z' (capability HasDarkNeutrinos)."""
        return self.in_vertices.dark_neutrinos(self.vertices(point))

    def heavy_neutrinos(self, point: Point) -> HeavyNeutrinos:
        """N_4, N_5, N_6 with their mixing with nu_mu (capability MixesHeavyNeutrinos)."""
        return self.in_vertices.heavy_neutrinos(self.vertices(point))

    def reactions(self, point: Point, nuisances: Point) -> tuple[AnyReaction, ...]:
        """nu_mu + target -> N_j + target, N_j -> N_k e+e- or nu e+e-, j = 4, 5, 6 (capability Upscatters)."""
        in_vertices, made = self.vertices(point), STATES
        if parameters.has_angles(point) and parameters.is_symmetric(point):
            made = (5,)  # V_43 = V_63 = 0
        states, form_factors = self.in_vertices.dark_neutrinos(in_vertices), self.targets.form_factors(nuisances)
        return reactions(states, form_factors, zprime_flies=False, made=tuple(STATES.index(j) for j in made))

    def lepton_moment(self, point: Point, lepton: str) -> Float[Array, ""]:
        """Delta a_l of Z' (capability PredictsLeptonMoment)."""
        return self.in_vertices.lepton_moment(point, lepton)

    def light_bosons(self, point: Point) -> tuple[LightBosons, ...]:
        """Z' (capability HasLightBosons)."""
        return self.in_vertices.light_bosons(self.vertices(point))

    def largest_coupling(self, point: Point) -> Float[Array, ""]:
        """g_X, or e epsilon if that is larger (capability HasCouplings)."""
        return self.in_vertices.largest_coupling(point)


def _named(states: MajoranaStates, V: Float[Array, "states states"], point: Point) -> dict[str, Float[Array, ""]]:
    """Masses, vertices and mixings by the names of `dark_photon`, with the couplings of the point."""
    place = {3: 0} | {j: LOWEST_HEAVY + i for i, j in enumerate(STATES)}
    found = {f"V_{j}{k}": V[place[j], place[k]] for j in STATES for k in place if k <= j}
    masses = {f"m_N{j}": states.masses[place[j]] for j in STATES}
    mixings = {f"U_mu{j}": jnp.abs(states.mixing[0, place[j]]) for j in STATES}
    return {**found, **masses, **mixings, **{name: point[name] for name in parameters.SHARED}}


dark_seesaw = DarkSeesaw()
