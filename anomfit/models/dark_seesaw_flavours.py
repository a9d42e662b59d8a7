"""The dark seesaw with three active generations: nu_e, nu_mu and nu_tau mix with the heavy neutrinos.

The paper (arXiv:2007.11813) has the muon's neutrino alone, but for the electron's at BP-D. Here all three rows of M_D
are there, so that U_e, U_mu and U_tau of every heavy state enter its weak decays, lines in K, pi -> e N, the
neutrinoless double beta decay and N_j -> nu e+e- through Z'. Beams are of nu_mu: what nu_e in them make, 0.6 % of the
Booster's neutrinos, is left out. The rest is the dark seesaw's (`dark_seesaw`), to which this comes back for U_e =
U_tau = 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact

from anomfit.models import dark_seesaw_flavours_parameters as parameters
from anomfit.models.dark_seesaw import STATES, DarkSeesaw
from anomfit.models.dark_seesaw_parameters import SHARED, has_angles, signed_masses
from anomfit.parameters import Parametrisation, Point
from anomfit.physics.dark_flavours import ACTIVE, LightVertices, light_block, light_vertices, mixing_matrix
from anomfit.physics.dark_mixing import vertices_of
from anomfit.physics.dark_neutrinos import DarkNeutrinos
from anomfit.physics.dark_seesaw import Entries, vertices
from anomfit.physics.majorana import MajoranaStates

MADE = slice(ACTIVE, ACTIVE + len(STATES))
"""N_4, N_5, N_6 among the mass states, which are in order of mass."""


@dataclass(frozen=True)
class DarkSeesawFlavours(DarkSeesaw):
    """The model; fields as those of `DarkSeesaw`. Flavours are in the order nu_e, nu_mu, nu_tau."""

    name: str = "dark-seesaw-flavours"
    title: str = "the dark seesaw with three active generations: nu_e, nu_mu and nu_tau mix with heavy neutrinos"

    @property
    def choices(self) -> Mapping[str, str]:
        """Those of the dark seesaw, and that beams have no nu_e."""
        return {**super().choices, "nu_e and nu_tau": "they mix with heavy neutrinos; those in a beam make none"}

    @property
    def parametrisations(self) -> Mapping[str, Parametrisation]:
        """mixings (nu_e and nu_tau in proportion to nu_mu), flavours (nine mixings) and lagrangian, all real."""
        return parameters.PARAMETRISATIONS

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """BP-A to BP-D, the last one with the electron's neutrino."""
        return parameters.POINTS

    def entries(self, point: Point) -> Entries:
        """The mass matrix of a point that states it, GeV."""
        return parameters.entries(point)

    def mass_states(self, point: Point) -> MajoranaStates:
        """Signed masses (GeV) and U, lightest first: three light states, and heavy ones as in `DarkSeesaw`."""
        if not has_angles(point):
            return super().mass_states(point)
        masses = jnp.concatenate([jnp.zeros(ACTIVE), signed_masses(point)])
        of_flavours = parameters.mixings(point)
        return MajoranaStates(
            masses, mixing_matrix(point["theta_46"], point["theta_45"], point["theta_56"], of_flavours)
        )

    def light_masses(self, point: Point) -> Inexact[Array, "3 3"]:
        """The mass matrix of nu_e, nu_mu, nu_tau in GeV, with one-loop entries if `loops`; 0 where mixings are given.

        What the digits of the entries make it: a difference of terms that are larger by up to 1e10.
        """
        return light_block(self.mass_states(point))

    def non_unitarity(self, point: Point) -> Float[Array, "3"]:
        """What each flavour has in heavy states, 1 - sum |U_al|^2 over the light ones."""
        return jnp.sum(jnp.abs(self.mass_states(point).mixing[:ACTIVE, ACTIVE:]) ** 2, axis=1)

    def _states_and_vertices(self, point: Point) -> tuple[MajoranaStates, Float[Array, "states states"]]:
        states = self.mass_states(point)
        if has_angles(point):
            return states, vertices_of(states.mixing[ACTIVE - 1 :])
        return states, vertices(states, self.entries(point), self.bosons(point).v_Phi).V

    def light_vertices(self, point: Point) -> LightVertices:
        """Vertices of Z', N_4, N_5, N_6 (and those above) and light neutrinos, without the gauge coupling."""
        states, V = self._states_and_vertices(point)
        return light_vertices(states.mixing, V)

    def vertices(self, point: Point) -> dict[str, Float[Array, ""]]:
        """Masses and vertices of the three lightest heavy states, a physical point of `dark_photon`.

        V_j3 is that of a beam of nu_mu. What N_j decays with is in `dark_neutrinos`.
        """
        return _named(*self._states_and_vertices(point), point)

    def dark_neutrinos(self, point: Point) -> DarkNeutrinos:
        """N_4, N_5, N_6 and Z' (capability HasDarkNeutrinos)."""
        mass_states, V = self._states_and_vertices(point)
        found = self._as_chosen(self.in_vertices.dark_neutrinos(_named(mass_states, V, point)))
        order = jnp.argsort(jnp.abs(mass_states.masses[MADE]))  # as `dark_photon` has them
        squared = jnp.abs(mass_states.mixing[:ACTIVE, MADE]) ** 2
        g_X = jnp.sqrt(4.0 * jnp.pi * point["alpha_D"])
        to_light = light_vertices(mass_states.mixing, V).to_light[: len(STATES)]
        return replace(
            found,
            to_light=g_X * to_light[order],
            electron_squared=squared[0][order],
            tau_squared=squared[2][order],
        )


def _named(states: MajoranaStates, V: Float[Array, "states states"], point: Point) -> dict[str, Float[Array, ""]]:
    """Masses, vertices and mixings with nu_mu by the names of `dark_photon`, with the couplings of the point."""
    of_muon = light_vertices(states.mixing, V).of_beam[1]
    masses, mixing, between = states.masses[MADE], jnp.abs(states.mixing[1, MADE]), V[MADE, MADE]
    number = range(len(STATES))
    return {
        **{f"m_N{STATES[j]}": masses[j] for j in number},
        **{f"U_mu{STATES[j]}": mixing[j] for j in number},
        **{f"V_{STATES[j]}3": of_muon[j] for j in number},
        **{f"V_{STATES[j]}{STATES[k]}": between[j, k] for j in number for k in range(j + 1)},
        **{name: point[name] for name in SHARED},
    }


dark_seesaw_flavours = DarkSeesawFlavours()
