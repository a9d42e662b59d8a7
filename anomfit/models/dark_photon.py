"""A dark photon Z' and heavy neutrinos: one of them as in arXiv:1807.09877, or three in masses and vertices.

Z' mixes with the photon (coupling e epsilon Q to charge Q) and couples with g_D to the left-handed dark neutrino nu_D.
With one heavy neutrino (Bertuzzo, Jana, Machado, Zukanovich Funchal) nu_mu alone mixes with nu_4, so that |U_D4|^2 is
1 - |U_mu4|^2, and nu_4 is heavier than Z'; docs/dark_photon.md derives the vertices. A point with vertices V_jk has
three, and Z' of any mass. Its names say which of the two it is, before anything is computed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.errors import reject
from anomfit.models import dark_photon_parameters as parameters
from anomfit.parameters import Nuisance, Parametrisation, Point
from anomfit.physics import lepton_moments, vector_decays
from anomfit.physics.aligned_pairs import lepton_alignment
from anomfit.physics.constants import E_CHARGE, HBAR_C_M, M_E, M_MU, M_TAU
from anomfit.physics.dark_neutrinos import DarkNeutrinos, ZprimeWidths, visible_flight, zprime_widths
from anomfit.physics.dark_neutrinos import reactions as spread_reactions
from anomfit.physics.heavy_neutrinos import HeavyNeutrinos, of_dark_photon
from anomfit.physics.light_bosons import SMALLEST_WIDTH, LightBosons
from anomfit.physics.reaction import AnyReaction, Channel, Pair, Reaction
from anomfit.physics.targets import MEASURED_TARGETS, TargetChoices
from anomfit.physics.vector_exchange import VectorExchange

LEPTON_MASSES = {"electron": M_E, "muon": M_MU, "tau": M_TAU}


@dataclass(frozen=True)
class DarkPhoton:
    """The model; fields are static choices, targets as in `TargetChoices`.

    majorana: whether nu_4 is its own antiparticle. If so it decays twice as fast, and Z' flies off evenly in its rest
    frame; if not, nu_4's polarisation steers Z'.
    zprime_flies: whether, among three heavy neutrinos, a real Z' may fly as far as a detector could tell.
    """

    name: str = "dark-photon"
    title: str = "a dark photon that mixes with the photon, and a heavy Majorana neutrino"
    majorana: bool = True
    zprime_flies: bool = True
    targets: TargetChoices = MEASURED_TARGETS

    references = ("arXiv:1807.09877", "leveille-1978", "helm-1956", "angeli-marinova-2013", "moniz-1971", "pdg-2024")
    nuisances: tuple[Nuisance, ...] = ()

    @property
    def choices(self) -> Mapping[str, str]:
        """What is assumed of nu_4, nucleons and nuclei, in words (capability StatesChoices)."""
        effect = "it takes 44 % of the incoherent interactions of bertuzzo at MiniBooNE (docs/dark_photon.md)"
        kind = "a Majorana particle, which decays isotropically" if self.majorana else "a Dirac particle, polarised"
        nucleon = "electromagnetic, dipoles of 0.71 GeV^2"
        return {"nu_4": kind, **self.targets.stated(effect), "nucleon form factor": nucleon}

    @property
    def parametrisations(self) -> Mapping[str, Parametrisation]:
        """three-plus-one, products (the default card's) and vertices (three heavy neutrinos)."""
        return parameters.PARAMETRISATIONS

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """The benchmark of the paper."""
        return {"bertuzzo": parameters.BERTUZZO}

    def vertex(self, point: Point) -> Float[Array, ""]:
        """g_D |V_43|, V_43 = U_mu4 |U_D4|^2, of nu_mu, nu_4 and Z'."""
        return _g_D(point) * point["U_mu4"] * (1.0 - point["U_mu4"] ** 2)

    def nu4_width(self, point: Point) -> Float[Array, ""]:
        """Width of nu_4 -> nu Z' in GeV, summed over the light neutrinos; 0 where nu_4 is lighter than Z'."""
        g = _g_D(point) * point["U_mu4"] * jnp.sqrt(1.0 - point["U_mu4"] ** 2)
        width = vector_decays.width_fermion_to_fermion_vector(point["m_N4"], 0.0, point["m_Zprime"], g)
        return 2.0 * width if self.majorana else width

    def dark_neutrinos(self, point: Point) -> DarkNeutrinos:
        """States and Z' (capability HasDarkNeutrinos); light neutrinos have g_D (1 - |U_D4|^2) = g_D |U_mu4|^2."""
        g_D = _g_D(point)
        if _has_vertices(point):
            return parameters.states(point, g_D, self.majorana)
        light = point["U_mu4"] ** 2
        each = (point["m_N4"], g_D * jnp.sqrt(light * (1.0 - light)), self.vertex(point))
        mass, to_light, produced, mixing = (jnp.reshape(x, (1,)) for x in (*each, light))
        between = jnp.reshape(g_D * (1.0 - light), (1, 1))
        shared = (g_D * light, mixing, point["m_Zprime"], point["epsilon"])
        return DarkNeutrinos(mass, to_light, produced, between, *shared, self.majorana)

    def heavy_neutrinos(self, point: Point) -> HeavyNeutrinos:
        """The same states as searches for their mixing with nu_mu see them (capability MixesHeavyNeutrinos)."""
        return of_dark_photon(self.dark_neutrinos(point))

    def zprime_widths(self, point: Point) -> ZprimeWidths:
        """Decays of Z'."""
        return zprime_widths(self.dark_neutrinos(point))

    def exchange(self, point: Point, nuisances: Point) -> VectorExchange:
        """nu_mu + target -> nu_4 + target by Z'."""
        numbers = (point["m_Zprime"], self.vertex(point), E_CHARGE * point["epsilon"])
        mass, g, charge = (jnp.reshape(number, (1,)) for number in numbers)
        return VectorExchange(point["m_N4"], mass, g, charge, None, self.targets.form_factors(nuisances))

    def reactions(self, point: Point, nuisances: Point) -> tuple[AnyReaction, ...]:
        """nu_mu + target -> nu_4 + target, nu_4 -> nu Z', Z' -> e+e-, or that of three (capability Upscatters)."""
        if _has_vertices(point):
            form_factors = self.targets.form_factors(nuisances)
            return spread_reactions(self.dark_neutrinos(point), form_factors, self.zprime_flies)
        m_N4, m_Zprime = point["m_N4"], point["m_Zprime"]
        widths, width = self.zprime_widths(point), jnp.maximum(self.nu4_width(point), SMALLEST_WIDTH)
        seen = jnp.where(m_N4 > m_Zprime, widths.to_electrons / widths.total, 0.0)
        alignment = lepton_alignment(vector_decays.transverse_fraction(m_N4, 0.0, m_Zprime), m_Zprime, M_E)
        reaction = Reaction(
            production=self.exchange(point, nuisances),
            flight=HBAR_C_M / (width * m_N4),
            pair=Pair(m_Zprime, HBAR_C_M / (widths.total * m_Zprime), alignment),
            channels=(Channel(seen, jnp.zeros_like(m_N4)),),
            asymmetry=None if self.majorana else vector_decays.vector_asymmetry(m_N4, 0.0, m_Zprime),
        )
        return (reaction,)

    def lepton_moment(self, point: Point, lepton: str) -> Float[Array, ""]:
        """Delta a_l of Z' (capability PredictsLeptonMoment)."""
        if lepton not in LEPTON_MASSES:
            raise reject("lepton", lepton, "use 'electron', 'muon' or 'tau'")
        return lepton_moments.vector_moment(LEPTON_MASSES[lepton], point["m_Zprime"], E_CHARGE * point["epsilon"])

    def light_bosons(self, point: Point) -> tuple[LightBosons, ...]:
        """Z' (capability HasLightBosons)."""
        return (self.vector(point, self.dark_neutrinos(point)),)

    def vector(self, point: Point, states: DarkNeutrinos) -> LightBosons:
        """Z' with these heavy neutrinos, which may show or not."""
        charge, widths = E_CHARGE * point["epsilon"], zprime_widths(states)
        fermions = {**dict.fromkeys(("g_e", "g_mu", "g_tau"), -charge), "g_u": 2.0 / 3.0 * charge, "g_d": -charge / 3.0}
        visible = {name: getattr(widths, name) for name in ("to_electrons", "to_muons", "to_hadrons")}
        hidden = {
            "g_nu": jnp.sqrt(jnp.sum(states.produced**2)),
            "to_invisible": widths.to_neutrinos,
            "to_semivisible": jnp.sum(widths.to_heavy),
            "semivisible_flight": visible_flight(states, widths),
        }
        return LightBosons.of("vector", point["m_Zprime"], **fermions, **visible, **hidden)

    def largest_coupling(self, point: Point) -> Float[Array, ""]:
        """g_D, or e epsilon if that is larger (capability HasCouplings)."""
        return jnp.maximum(_g_D(point), E_CHARGE * point["epsilon"])


def _has_vertices(point: Point) -> bool:
    return "V_43" in point


def _g_D(point: Point):
    return jnp.sqrt(4.0 * jnp.pi * point["alpha_D"])


dark_photon = DarkPhoton()
dark_photon_dirac = DarkPhoton(
    name="dark-photon-dirac",
    title="a dark photon that mixes with the photon, and a heavy Dirac neutrino",
    majorana=False,
)
