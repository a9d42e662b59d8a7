"""A light Z' of baryon and lepton numbers, a second Higgs doublet and a dark neutrino: arXiv:2006.01948.

Z' gauges B - r_l L_l or B alone and couples with g_d to the dark neutrino, which mixes with nu_mu; a singlet gives Z'
its mass and mixes with the second doublet. H and h' are the light mixed states: a Yukawa coupling y of the doublet
gives y cos(delta) to H and y sin(delta) to h', the singlet's vertex with two Z' gives -sin(delta) and cos(delta). A
neutrino turns into nu_4 by exchange of Z', which radiates h' or H: a process 2 -> 3. docs/zprime_two_higgs_doublet.md
derives what the paper leaves out: H -> h' h', nu_4's decays, kinetic mixing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.errors import reject
from anomfit.models import zprime_two_higgs_doublet_parameters as parameters
from anomfit.parameters import Nuisance, Parametrisation, Point
from anomfit.physics import doublet_leptons, gauged_scalar_sector, lepton_moments, scalar_decays
from anomfit.physics.boson_strahlung import BosonStrahlung, Coherent, Isoscalar
from anomfit.physics.constants import HBAR_C_M, M_E, M_MU
from anomfit.physics.extremes import largest
from anomfit.physics.gauged_charges import GaugedCharges
from anomfit.physics.gauged_neutrino import (
    Charges,
    GaugedNeutrino,
    NeutrinoWidths,
    VectorWidths,
    kinetic_mixing,
    neutrino_widths,
    vector_widths,
)
from anomfit.physics.gauged_scalar_sector import SecondDoublet
from anomfit.physics.heavy_neutrinos import HeavyNeutrinos
from anomfit.physics.light_bosons import SMALLEST_WIDTH, LightBosons
from anomfit.physics.reaction import AnyReaction, Pair, RadiatedReaction, Reaction
from anomfit.physics.targets import MEASURED_TARGETS, TargetChoices
from anomfit.physics.vector_exchange import VectorExchange

WITHOUT_ANOMALY = 3.0  # sum of the r_l


class Scalars(NamedTuple):
    """Masses (GeV) of (H, h') and the factors that couplings of the doublet and of the singlet get."""

    mass: Float[Array, "2"]
    doublet: Float[Array, "2"]
    singlet: Float[Array, "2"]


class ScalarWidths(NamedTuple):
    """Partial widths of (H, h'), GeV; to_pair: H -> h' h', 0 for h'."""

    to_electrons: Float[Array, "2"]
    to_muons: Float[Array, "2"]
    to_photons: Float[Array, "2"]
    to_pair: Float[Array, "2"]

    @property
    def total(self) -> Float[Array, "2"]:
        """The sum, never quite 0."""
        return jnp.maximum(sum(self), SMALLEST_WIDTH)


@dataclass(frozen=True)
class ZprimeTwoHiggsDoublet:
    """The model; fields are static choices, targets as in `TargetChoices`.

    r: (r_e, r_mu, r_tau) of B - r_e L_e - r_mu L_mu - r_tau L_tau, of sum 3, or None for baryon number alone, whose
    anomalies heavy fermions cancel. majorana: whether nu_4 is its own antiparticle, as after a seesaw. mixing_scale:
    GeV, where kinetic mixing vanishes. cubic: whether H -> h' h' is there, which masses and mixing fix; the paper has
    it not. isoscalar: form factors of nucleons; coherent: what nuclei are taken for; both as in `BosonStrahlung`.
    """

    name: str = "zprime-two-higgs-doublet"
    title: str = "a light Z' of B - 3 L_tau, a second Higgs doublet and a dark neutrino"
    r: tuple[float, float, float] | None = (0.0, 0.0, 3.0)
    majorana: bool = True
    mixing_scale: float = 1000.0
    cubic: bool = True
    isoscalar: Isoscalar = "measured"
    coherent: Coherent = "nucleus"
    targets: TargetChoices = MEASURED_TARGETS

    references = (
        "arXiv:2006.01948",
        "leveille-1978",
        "arXiv:1404.4370",
        "angeli-marinova-2013",
        "moniz-1971",
        "pdg-2024",
    )
    nuisances: tuple[Nuisance, ...] = ()

    def __post_init__(self):
        if self.r is None:
            return
        if len(self.r) != 3 or not np.isclose(sum(self.r), WITHOUT_ANOMALY):
            words = "give r_e, r_mu, r_tau that add up to 3, or None for baryon number alone"
            raise reject("r", str(self.r), words)

    @property
    def choices(self) -> Mapping[str, str]:
        """What is assumed of the vector, nucleons and nuclei, in words (capability StatesChoices)."""
        effect = "see docs/zprime_two_higgs_doublet.md for what it takes"
        nucleon = {"measured": "isoscalar, protons plus neutrons", "published": "dipole, equation 29 of the paper"}
        whole = {"nucleus": "spin 0, recoils as a whole", "nucleon": "A^2 nucleons, equation 30 of the paper"}
        pair = "H -> h' h' by the potential" if self.cubic else "no H -> h' h', as in the paper"
        return {
            "gauge group": self._group(),
            "kinetic mixing": f"by loops of quarks and leptons, 0 at {self.mixing_scale:g} GeV",
            "nu_4": "a Majorana particle" if self.majorana else "a Dirac particle",
            "H": pair,
            **self.targets.stated(effect),
            "nucleon form factor": nucleon[self.isoscalar],
            "radiation off nuclei": whole[self.coherent],
        }

    def _group(self) -> str:
        if self.r is None:
            return "B, with heavy fermions that cancel its anomalies"
        terms = [f"{r:g} L_{name}" for r, name in zip(self.r, ("e", "mu", "tau"), strict=True) if r]
        return "B - " + " - ".join(terms)

    @property
    def charges(self) -> Charges:
        """Charges of leptons, -r_l."""
        return Charges(0.0, 0.0, 0.0) if self.r is None else Charges(*(-r for r in self.r))

    @property
    def parametrisations(self) -> Mapping[str, Parametrisation]:
        """Products (the default card's), physical, quartics."""
        return parameters.PARAMETRISATIONS

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """Table I of the paper."""
        return {"table-I": parameters.TABLE_I}

    # -- scalars ------------------------------------------------------------------------------------------------------

    def scalars(self, point: Point) -> Scalars:
        """H and h' at a physical point."""
        sine = point["sin_delta"]
        cosine = jnp.sqrt((1.0 - sine) * (1.0 + sine))
        return Scalars(
            mass=jnp.stack([point["m_H"], point["m_hprime"]]),
            doublet=jnp.stack([cosine, sine]),
            singlet=jnp.stack([-sine, cosine]),
        )

    def scalar_widths(self, point: Point) -> ScalarWidths:
        """Decays of H and h': to leptons, to photons by loops of leptons, H -> h' h'."""
        scalars = self.scalars(point)
        leptons = jnp.diagonal(doublet_leptons.yukawas(point))

        def to_photons(mass, factor):
            loop = scalar_decays.photon_coupling(
                mass, 0.0, factor * leptons, jnp.array(doublet_leptons.MASSES), jnp.ones(3)
            )
            return scalar_decays.width_to_photons(mass, loop)

        to_pair = jnp.zeros(())
        if self.cubic:
            v_prime = gauged_scalar_sector.singlet_vacuum_value(point["m_Zprime"], point["g_d"])
            kappa = gauged_scalar_sector.pair_coupling(point["m_H"], point["m_hprime"], point["sin_delta"], v_prime)
            to_pair = gauged_scalar_sector.width_to_hprime_pair(point["m_H"], point["m_hprime"], kappa)
        return ScalarWidths(
            to_electrons=scalar_decays.width_to_fermions(scalars.mass, scalars.doublet * leptons[0], M_E),
            to_muons=scalar_decays.width_to_fermions(scalars.mass, scalars.doublet * leptons[1], M_MU),
            to_photons=jax.vmap(to_photons)(scalars.mass, scalars.doublet),
            to_pair=jnp.stack([to_pair, jnp.zeros_like(to_pair)]),
        )

    # -- Z' and nu_4 --------------------------------------------------------------------------------------------------

    def gauged(self, point: Point) -> GaugedNeutrino:
        """Z' and nu_4 with their vertices."""
        epsilon = kinetic_mixing(point["g_B"], self.charges, point["m_Zprime"], self.mixing_scale)
        masses, couplings = (point["m_nu4"], point["m_Zprime"]), (point["g_d"], point["g_B"])
        return GaugedNeutrino(*masses, *couplings, point["U_mu4"], epsilon, self.charges)

    def zprime_widths(self, point: Point) -> VectorWidths:
        """Decays of Z'."""
        return vector_widths(self.gauged(point), majorana=self.majorana)

    def nu4_widths(self, point: Point) -> NeutrinoWidths:
        """Decays of nu_4, to three neutrinos above all: it leaves every detector unseen."""
        return neutrino_widths(self.gauged(point), majorana=self.majorana)

    def gauged_charges(self, point: Point) -> GaugedCharges:
        """Z' with its charges (capability GaugesCharges)."""
        widths = self.zprime_widths(point)
        total = jnp.maximum(sum(widths), SMALLEST_WIDTH)
        one = jnp.ones_like(point["g_B"])
        electron, muon, tau = self.charges
        charges = (electron * one, muon * one, tau * one)
        hidden = (widths.to_heavy + widths.to_light) / total
        return GaugedCharges(point["m_Zprime"], point["g_B"], one, *charges, hidden)

    def heavy_neutrinos(self, point: Point) -> HeavyNeutrinos:
        """nu_4 as searches for its mixing with nu_mu see it (capability MixesHeavyNeutrinos)."""
        widths, nothing = self.nu4_widths(point), jnp.zeros(1)
        of = {
            "mass": point["m_nu4"],
            "U_mu": point["U_mu4"] ** 2,
            "to_electrons": widths.to_electrons + widths.weak.to_electrons,
            "to_muons": widths.to_muons + widths.weak.to_muons,
            "to_hadrons": widths.weak.to_hadrons,
            "width": jnp.maximum(widths.total, SMALLEST_WIDTH),
        }
        arrays = {name: jnp.reshape(value, (1,)) for name, value in of.items()}
        arrays |= {"U_e": nothing, "U_tau": nothing, "to_photons": nothing, "cascade": jnp.zeros((1, 1))}
        return HeavyNeutrinos(**arrays, majorana=self.majorana, flavours=("muon",))

    # -- what searches ask for ----------------------------------------------------------------------------------------

    def light_bosons(self, point: Point) -> tuple[LightBosons, ...]:
        """(H, h'), which couple to leptons alone, and Z' (capability HasLightBosons).

        H -> h' h' is semi-visible, its h' show after their flight; so are decays of Z' with nu_4, whose flight to a
        visible decay is thousands of kilometres at table-I.
        """
        scalars, widths = self.scalars(point), self.scalar_widths(point)
        of_hprime = HBAR_C_M / (widths.total[1] * scalars.mass[1])
        light = LightBosons.of(
            "scalar",
            scalars.mass,
            **{f"g_{suffix}": point[f"y_{suffix}"] * scalars.doublet for suffix in ("e", "mu", "tau")},
            to_electrons=widths.to_electrons,
            to_muons=widths.to_muons,
            to_photons=widths.to_photons,
            to_semivisible=widths.to_pair,
            semivisible_flight=of_hprime,
        )
        of, found, states = self.gauged(point), self.zprime_widths(point), self.heavy_neutrinos(point)
        electron, muon, tau = of.charged
        up, down = of.quarks
        vector = LightBosons.of(
            "vector",
            point["m_Zprime"],
            **{"g_e": electron, "g_mu": muon, "g_tau": tau, "g_u": up, "g_d": down, "g_nu": of.produced},
            to_electrons=found.to_electrons,
            to_muons=found.to_muons,
            to_hadrons=found.to_hadrons + found.to_taus,
            to_invisible=found.to_light,
            to_semivisible=found.to_heavy,
            semivisible_flight=HBAR_C_M / (jnp.maximum(states.visible, SMALLEST_WIDTH) * states.size),
        )
        return light, vector

    def exchange(self, point: Point, nuisances: Point) -> VectorExchange:
        """nu_mu + target -> nu_4 + target by Z', a process 2 -> 2, with the kinetic mixing of Z' for protons."""
        of = self.gauged(point)
        up, down = of.quarks
        mass, g, proton, neutron = (
            jnp.reshape(number, (1,)) for number in (of.m_Zprime, of.produced, 2.0 * up + down, up + 2.0 * down)
        )
        return VectorExchange(of.m_nu4, mass, g, proton, neutron, self.targets.form_factors(nuisances))

    def strahlung(self, point: Point, nuisances: Point) -> tuple[BosonStrahlung, BosonStrahlung]:
        """nu_mu + target -> nu_4 + target + H or h', without kinetic mixing, in this order."""
        scalars, of = self.scalars(point), self.gauged(point)
        vertex = gauged_scalar_sector.radiation_vertex(point["m_Zprime"], point["g_d"]) * scalars.singlet
        forms = self.targets.form_factors(nuisances)

        def process(i):
            masses = (of.m_nu4, scalars.mass[i], of.m_Zprime)
            return BosonStrahlung(*masses, of.produced, of.g_B, vertex[i], forms, self.isoscalar, self.coherent)

        return process(0), process(1)

    def reactions(self, point: Point, nuisances: Point) -> tuple[AnyReaction, ...]:
        """nu_mu + target -> nu_4 + target, with h', with H or alone: nobody sees nu_4 (capability Upscatters)."""
        H, hprime = self.strahlung(point, nuisances)
        widths = self.scalar_widths(point)
        seen, total = widths.to_electrons / widths.total, widths.total

        def radiated(process: BosonStrahlung, i: int) -> RadiatedReaction:
            pair = Pair(process.m_scalar, HBAR_C_M / (total[i] * process.m_scalar))
            return RadiatedReaction(process, pair, seen[i])

        alone = Reaction(
            production=self.exchange(point, nuisances),
            flight=self.heavy_neutrinos(point).flight[0],
            pair=Pair(point["m_hprime"], None),
            channels=(),
        )
        return radiated(hprime, 1), radiated(H, 0), alone

    # -- loops and potential ------------------------------------------------------------------------------------------

    def lepton_moment(self, point: Point, lepton: str) -> Float[Array, ""]:
        """Delta a_l of H and h' with every lepton in the loop, equations 33 and 34, and of Z' by kinetic mixing."""
        row = doublet_leptons.flavour(lepton)
        of = self.gauged(point)
        vector = lepton_moments.vector_moment(doublet_leptons.MASSES[row], of.m_Zprime, of.charged[row])
        return jnp.sum(self.lepton_moment_by_scalar(point, lepton)) + vector

    def lepton_moment_by_scalar(self, point: Point, lepton: str) -> Float[Array, "2"]:
        """The contributions of (H, h') to Delta a_l."""
        scalars = self.scalars(point)
        return doublet_leptons.moments(doublet_leptons.yukawas(point), lepton, scalars.mass, scalars.doublet)

    def radiative_width(self, point: Point, parent: str, daughter: str) -> Float[Array, ""]:
        """Width of parent -> daughter gamma by H and h', GeV (capability DecaysLeptons)."""
        scalars = self.scalars(point)
        matrix = doublet_leptons.yukawas(point)
        return doublet_leptons.radiative_width(matrix, parent, daughter, scalars.mass, scalars.doublet)

    def second_doublet(self, point: Point) -> SecondDoublet:
        """Scalars of the second doublet and quartic couplings (capability HasSecondDoublet)."""
        scalars = self.scalars(point)
        return SecondDoublet(point["m_Hpm"], point["m_A"], scalars.mass, scalars.doublet, parameters.quartics(point))

    def largest_coupling(self, point: Point) -> Float[Array, ""]:
        """The largest in size of g_d, g_B times charges, Yukawa and quartic couplings (capability HasCouplings)."""
        strongest = max(1.0, *(abs(charge) for charge in self.charges))
        yukawas = jnp.ravel(doublet_leptons.yukawas(point))
        quartics = jnp.stack([jnp.asarray(coupling) for coupling in parameters.quartics(point)])
        gauge = jnp.stack([point["g_d"], strongest * point["g_B"]])
        return largest(jnp.abs(jnp.concatenate([gauge, yukawas, quartics])))


zprime_two_higgs_doublet = ZprimeTwoHiggsDoublet()
zprime_baryon = ZprimeTwoHiggsDoublet(
    name="zprime-two-higgs-doublet-baryon",
    title="the same with a Z' of baryon number alone, whose anomalies heavy fermions cancel",
    r=None,
)
as_published = ZprimeTwoHiggsDoublet(
    name="zprime-two-higgs-doublet-as-published",
    title="the same of B - 3 L_tau with the form factors of arXiv:2006.01948, without H -> h' h'",
    cubic=False,
    isoscalar="published",
    coherent="nucleon",
    targets=TargetChoices(nucleon="dipole", nucleus="exponential", bound="none"),
)
