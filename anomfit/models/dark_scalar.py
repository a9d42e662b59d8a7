"""A light scalar S and a sterile neutrino nu_4: Datta, Kamali, Marfatia, arXiv:2005.08920.

S couples to quarks and leptons in proportion to their masses (eta_u to u, c, t; eta_d to d, s, b and charged leptons),
to photons through kappa, and to the dark neutrino with g_D (equations 6 and 8). nu_mu mixes with it by U_mu4 alone, the
same for both chiralities, so that |U_D4|^2 = 1 - |U_mu4|^2. All neutrinos are Dirac particles.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.errors import reject
from anomfit.models import dark_scalar_parameters as parameters
from anomfit.parameters import Nuisance, Parametrisation, Point
from anomfit.physics import lepton_moments, penguin_decays, scalar_decays
from anomfit.physics.barr_zee import photon_coupling_moment
from anomfit.physics.constants import HBAR_C_M, M_E, M_MU, M_TAU, V_EW, V_EW_PAPER
from anomfit.physics.exchange import ScalarExchange
from anomfit.physics.extremes import largest
from anomfit.physics.heavy_neutrinos import HeavyNeutrinos, weak_states
from anomfit.physics.light_bosons import SMALLEST_WIDTH, LightBosons
from anomfit.physics.nucleon_scalar import (
    M_D,
    M_U,
    SIGMA_FRACTIONS,
    SIGMA_TERM_SCALE,
    STRANGE_FRACTION,
    mass_proportional_coupling,
)
from anomfit.physics.penguin_decays import M_B, M_TOP, M_TOP_POLE
from anomfit.physics.reaction import Channel, Pair, Reaction
from anomfit.physics.targets import MEASURED_TARGETS, FormFactors, TargetChoices

LEPTON_MASSES = {"electron": M_E, "muon": M_MU, "tau": M_TAU}
M_CHARM = 1.27  # GeV, MSbar, PDG 2022
GEV_PER_TEV = 1e3

# charged fermions of the photon loop: masses (GeV), N_c Q^2, whether they couple with eta_u; leptons first
_LOOP_MASSES = np.array([M_E, M_MU, M_TAU, M_CHARM, M_B, M_TOP])
_LOOP_CHARGES = np.array([1.0, 1.0, 1.0, 4.0 / 3.0, 1.0 / 3.0, 4.0 / 3.0])
_LOOP_UP = np.array([False, False, False, True, False, True])
Chirality = Literal["both", "left", "right"]
ASYMMETRIES: Mapping[str, float | None] = {"both": None, "left": 1.0, "right": -1.0}  # as `scalar_asymmetry` has them
PhotonLoops = Literal["heavy", "leptons", "none"]
LOOP_FERMIONS: Mapping[str, int] = {"none": 0, "leptons": 3, "heavy": 6}


class ScalarWidths(NamedTuple):
    """Partial widths of S in GeV."""

    to_photons: Float[Array, ""]
    to_electrons: Float[Array, ""]
    to_neutrinos: Float[Array, ""]

    @property
    def total(self) -> Float[Array, ""]:
        """The sum, never quite 0."""
        return jnp.maximum(self.to_photons + self.to_electrons + self.to_neutrinos, SMALLEST_WIDTH)


@dataclass(frozen=True)
class DarkScalar:
    """The model; fields are static choices.

    targets: `TargetChoices`. photon_loops: fermions that add to
    kappa, "heavy" (e, mu, tau, c, b, t; light quarks are bound in hadrons, whose loops are left out), "leptons" or
    "none". long_kaon: see `penguin_branching_ratio`. nu4_width: "corrected" (1/16 pi) or "printed" (equation 13 with
    1/8 pi). neutrinos: which chirality S couples nu_4 to, "both" alike (the paper's), "left" or "right" alone, with the
    same rates: the direction of S in the decay of a polarised nu_4. v, m_top: GeV.
    """

    name: str = "dark-scalar"
    title: str = "a light scalar with couplings to photons and fermions, and a sterile neutrino"
    targets: TargetChoices = MEASURED_TARGETS
    photon_loops: PhotonLoops = "heavy"
    long_kaon: penguin_decays.LongKaon = "real"
    nu4_width: Literal["corrected", "printed"] = "corrected"
    neutrinos: Chirality = "both"
    v: float = V_EW
    m_top: float = M_TOP

    references = (
        "arXiv:2005.08920",
        "leveille-1978",
        "arXiv:1806.10252",
        "helm-1956",
        "angeli-marinova-2013",
        "moniz-1971",
        "arXiv:1312.4951",
        "arXiv:1301.1114",
        "arXiv:0911.4938",
        "arXiv:hep-ph/0406232",
        "arXiv:hep-ph/0412079",
        "pdg-2024",
    )

    def __post_init__(self):
        if self.photon_loops not in LOOP_FERMIONS:
            raise reject("photon_loops", self.photon_loops, f"use one of {', '.join(LOOP_FERMIONS)}")
        if self.nu4_width not in ("corrected", "printed"):
            raise reject("nu4_width", self.nu4_width, "use 'corrected' or 'printed'")
        if self.neutrinos not in ASYMMETRIES:
            raise reject("neutrinos", self.neutrinos, f"use one of {', '.join(ASYMMETRIES)}")

    @property
    def choices(self) -> Mapping[str, str]:
        """What is assumed of nucleons and nuclei, in words (capability StatesChoices)."""
        effect = "it takes 28 % of the incoherent interactions of bp1 at MiniBooNE (docs/nuclear.md)"
        return self.targets.stated(effect)

    @property
    def parametrisations(self) -> Mapping[str, Parametrisation]:
        """Products (the default card's) and physical."""
        return parameters.PARAMETRISATIONS

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """Table I of the paper, bp1 to bp6."""
        return parameters.TABLE_I

    @property
    def nuisances(self) -> tuple[Nuisance, ...]:
        """Nucleon matrix elements, and the dipole mass where a dipole is used."""
        return (SIGMA_TERM_SCALE, STRANGE_FRACTION, *self.targets.nuisances)

    # -- couplings and widths -----------------------------------------------------------------------------------------

    def nucleon_couplings(self, point: Point, nuisances: Point) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """(C_p, C_n), equation 16."""
        scale = nuisances.get(SIGMA_TERM_SCALE.name, SIGMA_TERM_SCALE.mean)
        f_s = nuisances.get(STRANGE_FRACTION.name, STRANGE_FRACTION.mean)
        fractions = SIGMA_FRACTIONS["dkm"]

        def of(nucleon):
            f_u, f_d = fractions.of(nucleon)
            return mass_proportional_coupling(
                nucleon, point["eta_u"], point["eta_d"], scale * f_u, scale * f_d, f_s, self.v
            )

        return of("proton"), of("neutron")

    def photon_coupling(self, point: Point):
        """kappa with the loops in force, complex, GeV^-1."""
        kappa = point["kappa"] / GEV_PER_TEV
        kept = slice(LOOP_FERMIONS[self.photon_loops])
        eta = jnp.where(_LOOP_UP[kept], point["eta_u"], point["eta_d"])
        masses = _LOOP_MASSES[kept]
        return scalar_decays.photon_coupling(point["m_S"], kappa, eta * masses / self.v, masses, _LOOP_CHARGES[kept])

    def scalar_widths(self, point: Point) -> ScalarWidths:
        """Decays of S; neutrinos: the three light ones, equation 11, with 1 - |U_D4|^2 = |U_mu4|^2."""
        mass = point["m_S"]
        to_light = point["g_D"] * point["U_mu4"] ** 2
        return ScalarWidths(
            to_photons=scalar_decays.width_to_photons(mass, self.photon_coupling(point)),
            to_electrons=scalar_decays.width_to_fermions(mass, point["eta_d"] * M_E / self.v, M_E),
            to_neutrinos=scalar_decays.width_to_fermions(mass, to_light, 0.0),
        )

    def nu4_decay_width(self, point: Point) -> Float[Array, ""]:
        """Width of nu_4 -> nu S in GeV, equation 13, corrected unless told otherwise."""
        coupling = point["g_D"] * point["U_mu4"] * jnp.sqrt(1.0 - point["U_mu4"] ** 2)
        width = scalar_decays.width_fermion_to_fermion_scalar(point["m_nu4"], 0.0, point["m_S"], coupling, 1)
        return 2.0 * width if self.nu4_width == "printed" else width

    def visible_share(self, point: Point) -> Float[Array, ""]:
        """Branching ratio of S, and so of nu_4, to photons and electrons; 0 where nu_4 is lighter than S."""
        widths = self.scalar_widths(point)
        is_open = point["m_nu4"] > point["m_S"]
        return jnp.where(is_open, (widths.to_photons + widths.to_electrons) / widths.total, 0.0)

    def heavy_neutrinos(self, point: Point) -> HeavyNeutrinos:
        """nu_4: decays to nu S, of which S decays at once, and weak ones (capability MixesHeavyNeutrinos)."""
        width, of_S = self.nu4_decay_width(point), self.scalar_widths(point)
        weak = weak_states(point["m_nu4"], 0.0, point["U_mu4"] ** 2, 0.0, majorana=False)
        return replace(
            weak,
            to_electrons=weak.to_electrons + width * of_S.to_electrons / of_S.total,
            to_photons=weak.to_photons + width * of_S.to_photons / of_S.total,
            width=weak.width + width,
            flavours=("muon",),
        )

    def largest_coupling(self, point: Point) -> Float[Array, ""]:
        """The largest dimensionless coupling in size: g_D, those of the top and bottom quarks and of the tau."""
        up, down = point["eta_u"] * self.m_top, point["eta_d"] * M_B
        return largest(jnp.abs(jnp.stack([point["g_D"], up / self.v, down / self.v])))

    # -- scattering ---------------------------------------------------------------------------------------------------

    def exchange(self, point: Point, nuisances: Point) -> ScalarExchange:
        """nu_mu -> nu_4 on a target by S: y = g_D U_mu4 |U_D4|^2 (section IV)."""
        C_p, C_n = self.nucleon_couplings(point, nuisances)
        y = point["g_D"] * point["U_mu4"] * (1.0 - point["U_mu4"] ** 2)
        mass, y, F_p, F_n = (jnp.reshape(value, (1,)) for value in (point["m_S"], y, C_p, C_n))
        return ScalarExchange(point["m_nu4"], mass, y, F_p, F_n, self.form_factors(nuisances))

    def form_factors(self, nuisances: Point) -> FormFactors:
        """The form factors in force."""
        return self.targets.form_factors(nuisances)

    def reactions(self, point: Point, nuisances: Point) -> tuple[Reaction, ...]:
        """nu_mu + target -> nu_4 + target, nu_4 -> nu S, S -> gamma gamma or e+e- (capability Upscatters)."""
        width = jnp.maximum(self.nu4_decay_width(point), SMALLEST_WIDTH)
        reaction = Reaction(
            production=self.exchange(point, nuisances),
            flight=HBAR_C_M / (width * point["m_nu4"]),
            pair=Pair(point["m_S"], HBAR_C_M / (self.scalar_widths(point).total * point["m_S"])),
            channels=(Channel(self.visible_share(point), jnp.zeros_like(point["m_S"])),),
            asymmetry=ASYMMETRIES[self.neutrinos],
            species="e+e- and gamma gamma",
        )
        return (reaction,)

    # -- moments, mesons, light bosons --------------------------------------------------------------------------------

    def lepton_moment(self, point: Point, lepton: str) -> Float[Array, ""]:
        """Delta a_l, equations 9 and 10 (capability PredictsLeptonMoment)."""
        return jnp.sum(self.lepton_moment_by_diagram(point, lepton))

    def lepton_moment_by_diagram(self, point: Point, lepton: str) -> Float[Array, "2"]:
        """The one-loop and the two-photon (Barr-Zee) contribution to Delta a_l."""
        if lepton not in LEPTON_MASSES:
            raise reject("lepton", lepton, "use 'electron', 'muon' or 'tau'")
        mass = LEPTON_MASSES[lepton]
        y, kappa = point["eta_d"] * mass / self.v, point["kappa"] / GEV_PER_TEV
        one_loop = lepton_moments.scalar_moment(mass, point["m_S"], y)
        two_photons = photon_coupling_moment(mass, point["m_S"], y, kappa, GEV_PER_TEV * point["Lambda"])
        return jnp.stack([one_loop, two_photons])

    def meson_branching_ratios(self, point: Point, mode: str) -> tuple[Float[Array, "1"]]:
        """Through the top penguin; light quarks in the kaon's weak Hamiltonian are left out (docs/dark_scalar.md)."""
        found = penguin_decays.penguin_branching_ratio(mode, point["m_S"], point["eta_u"], self.m_top, self.long_kaon)
        return (jnp.reshape(found, (1,)),)

    def light_bosons(self, point: Point) -> tuple[LightBosons]:
        """S with couplings and widths; pions are left out."""
        widths = self.scalar_widths(point)
        mass, eta_u, eta_d = point["m_S"], point["eta_u"] / self.v, point["eta_d"] / self.v
        boson = LightBosons.of(
            "scalar",
            mass,
            g_e=eta_d * M_E,
            g_mu=eta_d * M_MU,
            g_tau=eta_d * M_TAU,
            g_u=eta_u * M_U,
            g_d=eta_d * M_D,
            g_nu=point["g_D"] * point["U_mu4"] * (1.0 - point["U_mu4"] ** 2),
            to_electrons=widths.to_electrons,
            to_muons=scalar_decays.width_to_fermions(mass, eta_d * M_MU, M_MU),
            to_photons=widths.to_photons,
            to_invisible=widths.to_neutrinos,
        )
        return (boson,)


dark_scalar = DarkScalar()
as_published = DarkScalar(
    name="dark-scalar-as-published",
    title="the same as in arXiv:2005.08920: constant coupling to free nucleons, |lambda_t| for K_L, 1/8 pi for nu_4",
    targets=TargetChoices(nucleon="constant", nucleus="helm", bound="none"),
    photon_loops="leptons",
    long_kaon="absolute",
    nu4_width="printed",
    v=V_EW_PAPER,
    m_top=M_TOP_POLE,
)
