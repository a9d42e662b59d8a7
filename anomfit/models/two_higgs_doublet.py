"""Two Higgs doublets, a dark singlet scalar and three heavy neutrinos: Abdallah, Gandhi, Roy, arXiv:2010.06159.

H and h' are the light mixed states of the second doublet and the singlet: a doublet-type coupling y gives y cos(delta)
to H and y sin(delta) to h', a singlet-type coupling lambda gives -lambda sin(delta) and lambda cos(delta) (equations
15, 25, 26; equation 26 prints Z_32 and Z_22 where Z_33 and Z_23 are meant). Parameters here are the unmixed couplings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.errors import reject
from anomfit.models import two_higgs_doublet_parameters as parameters
from anomfit.parameters import Nuisance, Parametrisation, Point
from anomfit.physics import lepton_moments, scalar_decays
from anomfit.physics.constants import HBAR_C_M, M_E, M_MU, M_TAU
from anomfit.physics.exchange import ScalarExchange
from anomfit.physics.extremes import largest
from anomfit.physics.light_bosons import (
    LightBosons,
    width_to_majorana_pair,
    width_to_neutrino_and_majorana,
    width_to_pions,
)
from anomfit.physics.neutrino_mass import SeesawStates, dirac_mass, normal_ordering, seesaw
from anomfit.physics.nucleon_scalar import SIGMA_TERM_SCALE
from anomfit.physics.reaction import Channel, Pair, Reaction, Second, Spectrum
from anomfit.physics.targets import MEASURED_TARGETS, FormFactors, TargetChoices

LEPTON_MASSES = {"electron": M_E, "muon": M_MU, "tau": M_TAU}
SUFFIX = {"electron": "e", "muon": "mu", "tau": "tau"}
SMALLEST_WIDTH = 1e-40  # GeV, c tau above 1e24 m: keeps the decay length of a decoupled h' finite


class Scalars(NamedTuple):
    """Masses (GeV) of (H, h') and the factors that doublet- and singlet-type couplings get."""

    mass: Float[Array, "2"]
    doublet: Float[Array, "2"]
    singlet: Float[Array, "2"]


class HeavyNeutrinoWidths(NamedTuple):
    """Partial widths of N_2 in GeV."""

    to_N1_hprime: Float[Array, ""]
    to_nu_hprime: Float[Array, ""]
    to_N1_H: Float[Array, ""]
    to_nu_H: Float[Array, ""]


@dataclass(frozen=True)
class TwoHiggsDoublet:
    """The model; fields are static choices, the docstrings of `TargetChoices` and `majorana_coupling` say what they
    mean.
    """

    name: str = "two-higgs-doublet"
    title: str = "two Higgs doublets, a dark singlet scalar and three heavy neutrinos"
    targets: TargetChoices = MEASURED_TARGETS
    sigma_fractions: str = "dkm"
    relative_cp: int = 1
    majorana_counting: scalar_decays.MajoranaCounting = "twice"

    references = (
        "arXiv:2010.06159",
        "leveille-1978",
        "helm-1956",
        "angeli-marinova-2013",
        "moniz-1971",
        "arXiv:1312.4951",
        "pdg-2024",
    )

    @property
    def choices(self) -> Mapping[str, str]:
        """What is assumed of nucleons and nuclei, in words (capability StatesChoices)."""
        effect = (
            "it takes 18 % of the incoherent interactions of table-I at MiniBooNE and 36 % of its neutrons at LSND, "
            "75 % for a mediator of 5 MeV (docs/nuclear.md)"
        )
        return self.targets.stated(effect)

    @property
    def parametrisations(self) -> Mapping[str, Parametrisation]:
        """Products (the default card's), physical, potential."""
        return parameters.parametrisations(self.sigma_fractions)

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """Table I of the paper."""
        return {"table-I": parameters.TABLE_I}

    @property
    def nuisances(self) -> tuple[Nuisance, ...]:
        """Nucleon matrix elements: their common scale, and the dipole mass where a dipole is used."""
        return (SIGMA_TERM_SCALE, *self.targets.nuisances)

    def scalars(self, point: Point) -> Scalars:
        """H and h' at a physical point."""
        sine = point["sin_delta"]
        cosine = jnp.sqrt((1.0 - sine) * (1.0 + sine))
        return Scalars(
            mass=jnp.stack([point["m_H"], point["m_hprime"]]),
            doublet=jnp.stack([cosine, sine]),
            singlet=jnp.stack([-sine, cosine]),
        )

    def nucleon_couplings(self, point: Point) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Doublet-type (F_p, F_n), equation 27, at the central matrix elements."""
        return parameters.nucleon_couplings(self.sigma_fractions, point["y_u"], point["y_d"])

    def hprime_widths(self, point: Point) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Widths of h' to e+e- and mu+mu-, GeV."""
        mass, sine = point["m_hprime"], point["sin_delta"]
        return (
            scalar_decays.width_to_fermions(mass, sine * point["y_e"], M_E),
            scalar_decays.width_to_fermions(mass, sine * point["y_mu"], M_MU),
        )

    def heavy_neutrino_widths(self, point: Point) -> HeavyNeutrinoWidths:
        """Partial widths of the Majorana N_2: to N_1 and to light neutrinos, with each scalar."""
        scalars = self.scalars(point)

        def widths(i):
            g = scalar_decays.majorana_coupling(point["lambda_N12"] * scalars.singlet[i], self.majorana_counting)
            mass = scalars.mass[i]
            y = point["y_nu"] * scalars.doublet[i]
            return (
                scalar_decays.width_fermion_to_fermion_scalar(point["m_N2"], point["m_N1"], mass, g, self.relative_cp),
                scalar_decays.width_to_massless_neutrino(point["m_N2"], mass, y, majorana=True),
            )

        (N1_H, nu_H), (N1_hprime, nu_hprime) = widths(0), widths(1)
        return HeavyNeutrinoWidths(N1_hprime, nu_hprime, N1_H, nu_H)

    def N1_widths(self, point: Point) -> Float[Array, "2"]:
        """Widths of the Majorana N_1 to a light neutrino and (H, h'), GeV: 0 unless y_nu1 is given."""
        scalars = self.scalars(point)
        y = point.get("y_nu1", 0.0) * scalars.doublet  # points of version 0.1 do not have it
        return scalar_decays.width_to_massless_neutrino(point["m_N1"], scalars.mass, y, majorana=True)

    def light_bosons(self, point: Point) -> tuple[LightBosons]:
        """(H, h') with couplings and widths; decays to two scalars and to tau leptons are left out.

        Both decay to N_1 N_2 and nu N_2 where they can, semi-visibly: N_2 -> h', h' -> e+e-.
        """
        scalars = self.scalars(point)
        couplings = {suffix: point[f"y_{suffix}"] * scalars.doublet for suffix in ("e", "mu", "u", "d", "nu")}
        g = scalar_decays.majorana_coupling(point["lambda_N12"] * scalars.singlet, self.majorana_counting)
        to_sterile = width_to_majorana_pair(scalars.mass, point["m_N1"], point["m_N2"], g, self.relative_cp)
        bosons = LightBosons.of(
            "scalar",
            scalars.mass,
            **{f"g_{suffix}": coupling for suffix, coupling in couplings.items()},
            to_electrons=scalar_decays.width_to_fermions(scalars.mass, couplings["e"], M_E),
            to_muons=scalar_decays.width_to_fermions(scalars.mass, couplings["mu"], M_MU),
            to_hadrons=width_to_pions(scalars.mass, couplings["u"], couplings["d"]),
            to_semivisible=to_sterile + width_to_neutrino_and_majorana(scalars.mass, point["m_N2"], couplings["nu"]),
            semivisible_flight=self._flight_of_N2(point) + self._flight_of_hprime(point),
        )
        return (bosons,)

    def _flight_of_N2(self, point: Point) -> Float[Array, ""]:
        """c tau/m, m/GeV."""
        width = jnp.maximum(sum(self.heavy_neutrino_widths(point)), SMALLEST_WIDTH)
        return HBAR_C_M / (width * point["m_N2"])

    def _flight_of_hprime(self, point: Point) -> Float[Array, ""]:
        """c tau/m of its decays to leptons, m/GeV."""
        return HBAR_C_M / (jnp.maximum(sum(self.hprime_widths(point)), SMALLEST_WIDTH) * point["m_hprime"])

    def largest_coupling(self, point: Point) -> Float[Array, ""]:
        """The largest dimensionless coupling in size: Yukawa couplings of the doublet and the singlet's to N_1 N_2."""
        couplings = [value for name, value in point.items() if name.startswith("y_")]
        return largest(jnp.abs(jnp.stack([*couplings, point["lambda_N12"]])))

    def light_neutrinos(self, point: Point) -> SeesawStates:
        """Seesaw of the three generations, equations 19-23, with the Dirac masses that give the measured splittings."""
        m_R = jnp.stack([point["m_N1"], point["m_N2"], point["m_N3"]])
        light = normal_ordering(point["m_nu1"], point["delta_m2_21"], point["delta_m2_31"])
        return seesaw(dirac_mass(light, m_R), m_R)

    def exchange(self, point: Point, nuisances: Point) -> ScalarExchange:
        """nu_mu -> N_2 on a target by H and h'."""
        scalars = self.scalars(point)
        F_p, F_n = self.nucleon_couplings(point)
        scale = nuisances.get(SIGMA_TERM_SCALE.name, SIGMA_TERM_SCALE.mean)
        return ScalarExchange(
            m_N=point["m_N2"],
            mass=scalars.mass,
            y=point["y_nu"] * scalars.doublet,
            F_p=scale * F_p * scalars.doublet,
            F_n=scale * F_n * scalars.doublet,
            form_factors=self.form_factors(nuisances),
        )

    def form_factors(self, nuisances: Point) -> FormFactors:
        """The form factors in force."""
        return self.targets.form_factors(nuisances)

    def reactions(self, point: Point, nuisances: Point) -> tuple[Reaction, ...]:
        """nu_mu + target -> N_2 + target, N_2 -> N_1 h' or nu h', h' -> e+e- (capability Upscatters)."""
        widths = self.heavy_neutrino_widths(point)
        total = jnp.maximum(sum(widths), SMALLEST_WIDTH)
        to_electrons, to_muons = self.hprime_widths(point)
        width = jnp.maximum(to_electrons + to_muons, SMALLEST_WIDTH)
        seen = to_electrons / width / total
        again = self.N1_widths(point)
        of_N1 = jnp.maximum(jnp.sum(again), SMALLEST_WIDTH)
        twice = jnp.reshape(to_electrons / width * again[1] / of_N1, (1,))
        pairs = Spectrum(twice, jnp.zeros(1), jnp.reshape(point["m_hprime"], (1,)), None)
        second = Second(twice[0], HBAR_C_M / (of_N1 * point["m_N1"]), pairs)
        reaction = Reaction(
            production=self.exchange(point, nuisances),
            flight=HBAR_C_M / (total * point["m_N2"]),
            pair=Pair(point["m_hprime"], HBAR_C_M / (width * point["m_hprime"])),
            channels=(
                Channel(seen * widths.to_N1_hprime, point["m_N1"], second),
                Channel(seen * widths.to_nu_hprime, jnp.zeros_like(point["m_N1"])),
            ),
            prompt=True,  # 0.04 mm at 1 GeV is the longest flight of 20 000 points of the prior
        )
        return (reaction,)

    def lepton_moment(self, point: Point, lepton: str) -> Float[Array, ""]:
        """Delta a_l of H and h', equation 29, and of the flavour-changing couplings with every internal lepton."""
        if lepton not in LEPTON_MASSES:
            raise reject("lepton", lepton, "use 'electron', 'muon' or 'tau'")
        return jnp.sum(self.lepton_moment_by_scalar(point, lepton))

    def lepton_moment_by_scalar(self, point: Point, lepton: str) -> Float[Array, "2"]:
        """The contributions of (H, h') to Delta a_l."""
        scalars = self.scalars(point)
        return jax.vmap(lambda mass, factor: _moment(point, lepton, mass, factor))(scalars.mass, scalars.doublet)


def _moment(point: Point, lepton: str, mass, factor):
    """Delta a_l of one scalar: the lepton itself in the loop, and the other two through flavour-changing couplings."""
    m, own = LEPTON_MASSES[lepton], SUFFIX[lepton]
    others = [other for other in LEPTON_MASSES if other != lepton]
    off_diagonal = jax.vmap(lepton_moments.off_diagonal_scalar_moment, in_axes=(None, 0, None, 0, 0))(
        m,
        jnp.array([LEPTON_MASSES[other] for other in others]),
        mass,
        factor * jnp.stack([point[f"y_{own}{SUFFIX[other]}"] for other in others]),
        factor * jnp.stack([point[f"y_{SUFFIX[other]}{own}"] for other in others]),
    )
    return lepton_moments.scalar_moment(m, mass, factor * point[f"y_{own}"]) + jnp.sum(off_diagonal)


two_higgs_doublet = TwoHiggsDoublet()
as_published = TwoHiggsDoublet(
    name="two-higgs-doublet-as-published",
    title="the same with the form factors of arXiv:2010.06159: constant for free nucleons, exponential for carbon",
    targets=TargetChoices(nucleon="constant", nucleus="exponential", bound="none"),
    sigma_fractions="agr1",
)
