"""The dark seesaw with a light scalar phi: the poster that came before arXiv:2007.11813, which explains KOTO too.

phi' of U(1)' mixes with the Higgs boson (lambda_PhiH |H|^2 |Phi|^2), so that its lighter mass state phi couples to
charged fermions as sin theta m_f/v. The top penguin makes K_L -> pi0 phi, and phi decays to heavy neutrinos by the
Yukawa couplings that make their masses. Heavy neutrinos that are heavier than phi decay to it in turn. The rest is the
dark seesaw's (`dark_seesaw`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.models import dark_seesaw_parameters as parameters
from anomfit.models.dark_photon import LEPTON_MASSES
from anomfit.models.dark_seesaw import STATES, DarkSeesaw
from anomfit.parameters import Parameter, Parametrisation, Point
from anomfit.physics import lepton_moments
from anomfit.physics.constants import M_E, M_MU, M_TAU, V_EW
from anomfit.physics.dark_neutrinos import DarkNeutrinos, chances_to_show
from anomfit.physics.dark_seesaw import Bosons, vertices
from anomfit.physics.dark_seesaw_scalar import (
    ScalarVertices,
    ScalarWidths,
    higgs_to_scalars,
    scalar_vertices,
    scalar_widths,
    split_by_sight,
    widths_to_scalar,
)
from anomfit.physics.extremes import largest
from anomfit.physics.higgs_decays import HiggsDecays
from anomfit.physics.light_bosons import LightBosons
from anomfit.physics.meson_vector_decays import VECTOR_RATES
from anomfit.physics.nucleon_scalar import M_D, M_U
from anomfit.physics.penguin_decays import penguin_branching_ratio

SEEN_WITHIN = 5.0
"""m/GeV, size of a detector over the momentum of what decays in it: 2 at B factories, 3 to 10 where kaons decay."""

_SCALAR = (
    Parameter("m_phi", r"$m_\phi$", "GeV", 1e-3, 1.0, "log-uniform", "light scalar"),
    Parameter("sin_theta", r"$\sin\theta$", "1", 1e-7, 0.1, "log-uniform", "mixing of phi with the Higgs boson"),
)
KOTO = {"m_phi": 0.135, "sin_theta": 6.5e-4}
"""Where K+ -> pi+ pi0 hides phi from searches, and how much of K_L -> pi0 phi KOTO's candidates of 2019 are."""


@dataclass(frozen=True)
class DarkSeesawScalar(DarkSeesaw):
    """The model; fields as those of `DarkSeesaw`, whose m_phi is not used: it is a parameter here."""

    name: str = "dark-seesaw-scalar"
    title: str = "the dark seesaw with a light scalar that mixes with the Higgs boson"

    references = (*DarkSeesaw.references, "arXiv:0911.4938")

    @property
    def choices(self) -> Mapping[str, str]:
        """Those of the dark seesaw, and what is assumed of phi."""
        heavy = f"phi -> N N is invisible if neither N shows within {SEEN_WITHIN:g} m/GeV, else semi-visible"
        left_out = "N_j -> N_k phi shows nothing; a virtual phi and its exchange with nuclei are left out"
        return {**super().choices, "phi": f"{heavy}; {left_out}"}

    @property
    def parametrisations(self) -> Mapping[str, Parametrisation]:
        """lagrangian and complex of the dark seesaw with m_phi and sin_theta: phi's couplings need the whole matrix."""
        own = super().parametrisations
        return {
            name: replace(own[name], parameters=(*own[name].parameters, *_SCALAR)) for name in ("lagrangian", "complex")
        }

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """koto-A to koto-D: the matrices of BP-A to BP-D with the phi of `KOTO`, a choice of ours."""
        return {name.replace("BP", "koto"): {**point, **KOTO} for name, point in parameters.POINTS.items()}

    def bosons(self, point: Point) -> Bosons:
        """Z' and phi."""
        return super().bosons(point)._replace(m_phi=point["m_phi"])

    def scalar_vertices(self, point: Point) -> ScalarVertices:
        """All mass states with their vertices of phi."""
        states = self.mass_states(point)
        found = vertices(states, self.entries(point), self.bosons(point).v_Phi)
        return scalar_vertices(states.masses, found, point["sin_theta"])

    def scalar_widths(self, point: Point) -> ScalarWidths:
        """Decays of phi."""
        return scalar_widths(point["m_phi"], point["sin_theta"], self.scalar_vertices(point), len(STATES))

    def higgs_decays(self, point: Point) -> HiggsDecays:
        """h -> phi phi and as many h -> Z' Z' (capability DecaysHiggs).

        Unseen are two invisible phi alone, with what is invisible at lower energies. Of Z' Z' heavy neutrinos that
        decay metres away come next, which are left to the others, as h -> N_j N_k is left out.
        """
        pairs = higgs_to_scalars(point["sin_theta"], self.bosons(point).v_Phi, point["m_phi"])
        _, scalar = self.light_bosons(point)
        unseen = pairs * scalar.branching_ratio("invisible")[0] ** 2
        return HiggsDecays(unseen, 2.0 * pairs - unseen, 1.0 - point["sin_theta"] ** 2)

    def dark_neutrinos(self, point: Point) -> DarkNeutrinos:
        """N_4, N_5, N_6 and Z'; N_j -> N_k phi among their decays (capability HasDarkNeutrinos)."""
        to_scalar = widths_to_scalar(point["m_phi"], self.scalar_vertices(point), len(STATES))
        return replace(super().dark_neutrinos(point), to_others=to_scalar)

    def lepton_moment(self, point: Point, lepton: str) -> Float[Array, ""]:
        """Delta a_l of Z' and phi (capability PredictsLeptonMoment)."""
        of_vector, mass = super().lepton_moment(point, lepton), LEPTON_MASSES[lepton]
        return of_vector + lepton_moments.scalar_moment(mass, point["m_phi"], point["sin_theta"] * mass / V_EW)

    def meson_branching_ratios(self, point: Point, mode: str) -> tuple[Float[Array, "1"], Float[Array, "1"]]:
        """Z' as its couplings to u and d make it, phi through the top penguin (capability DecaysMesons)."""
        (vector, _), none = self.light_bosons(point), jnp.zeros(1)
        of_vector = VECTOR_RATES[mode](vector.mass, vector.g_u, vector.g_d) if mode in VECTOR_RATES else none
        of_scalar = penguin_branching_ratio(mode, point["m_phi"], point["sin_theta"])
        return of_vector, jnp.reshape(of_scalar, (1,))

    def light_bosons(self, point: Point) -> tuple[LightBosons, LightBosons]:
        """Z' and phi (capability HasLightBosons)."""
        states, found = self.dark_neutrinos(point), self.scalar_vertices(point)
        widths = scalar_widths(point["m_phi"], point["sin_theta"], found, len(STATES))
        near, far = chances_to_show(states, 1.0, SEEN_WITHIN)
        heavy = split_by_sight(widths, near, far)
        per_mass = point["sin_theta"] / V_EW
        masses = {"g_e": M_E, "g_mu": M_MU, "g_tau": M_TAU, "g_u": M_U, "g_d": M_D}
        visible = {name: getattr(widths, name) for name in ("to_electrons", "to_muons", "to_hadrons", "to_photons")}
        scalar = LightBosons.of(
            "scalar",
            point["m_phi"],
            **{name: per_mass * mass for name, mass in masses.items()},
            **visible,
            g_nu=jnp.sqrt(jnp.sum(found.squared[0, 1 : 1 + len(STATES)])),
            to_invisible=heavy.to_invisible,
            to_semivisible=heavy.to_semivisible,
            semivisible_flight=heavy.flight,
        )
        return self.in_vertices.vector(point, states), scalar

    def largest_coupling(self, point: Point) -> Float[Array, ""]:
        """The largest of g_X, e epsilon and the Yukawa couplings sqrt2 Lambda/v_Phi (capability HasCouplings)."""
        entries, v_Phi = self.entries(point), self.bosons(point).v_Phi
        sizes = jnp.abs(jnp.concatenate([entries.Lambda_L, entries.Lambda_R], axis=None))
        gauge = jnp.reshape(super().largest_coupling(point), (1,))
        return largest(jnp.concatenate([gauge, jnp.sqrt(2.0) * sizes / v_Phi]))


dark_seesaw_scalar = DarkSeesawScalar()
