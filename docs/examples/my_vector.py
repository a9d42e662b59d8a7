"""A dark photon and a heavy neutrino of your own, after arXiv:1807.09877: nu_mu A -> nu_4 A, nu_4 -> nu Z', Z' -> e+e-.

Its signal in MiniBooNE:  anomfit predict docs/examples/my_vector.py:model miniboone
All limits at its point:  anomfit constraints docs/examples/my_vector.py:model
Fit it to a few data:     anomfit fit docs/examples/my_vector_card.toml --out my-fit
"""

from dataclasses import dataclass

import jax.numpy as jnp

from anomfit.parameters import Parameter, Parametrisation
from anomfit.physics.constants import ALPHA, HBAR_C_M, M_E, M_MU
from anomfit.physics.lepton_moments import vector_moment
from anomfit.physics.light_bosons import LightBosons
from anomfit.physics.reaction import Channel, Pair, Reaction
from anomfit.physics.targets import MEASURED_TARGETS, TargetChoices
from anomfit.physics.vector_decays import width_fermion_to_fermion_vector, width_to_hadrons, width_to_leptons
from anomfit.physics.vector_exchange import VectorExchange

E_CHARGE = (4.0 * jnp.pi * ALPHA) ** 0.5
PARAMETERS = (  # name, symbol, unit, bounds, prior, what it is
    Parameter("m_4", "$m_4$", "GeV", 0.02, 2.0, "log-uniform", "heavy neutrino"),
    Parameter("m_Z", "$m_{Z'}$", "GeV", 0.005, 1.0, "log-uniform", "dark photon"),
    Parameter("g", "$g$", "1", 1e-6, 0.1, "log-uniform", "vertex of nu_mu, nu_4 and Z'"),
    Parameter("epsilon", r"$\epsilon$", "1", 1e-6, 1e-2, "log-uniform", "kinetic mixing"),
)
PHYSICAL = Parametrisation("physical", PARAMETERS, dict, dict, upper={"m_Z": lambda point: point["m_4"]})
PAPER = {"m_4": 0.42, "m_Z": 0.03, "g": (jnp.pi * 9e-7) ** 0.5, "epsilon": (2e-10 / ALPHA) ** 0.5}


@dataclass(frozen=True, eq=False)
class MyVector:
    """What every model has, and then one method for each thing that it predicts."""

    name: str = "my-vector"
    title: str = "a dark photon and a heavy Majorana neutrino of my own"
    references: tuple[str, ...] = ("arXiv:1807.09877",)
    nuisances: tuple = ()
    targets: TargetChoices = MEASURED_TARGETS  # form factors of nuclei, binding of nucleons
    parametrisations = {"physical": PHYSICAL}
    points = {"paper": {name: float(value) for name, value in PAPER.items()}}

    def widths(self, point):
        """Of Z', GeV: what it decays to in sight; charge e epsilon Q."""
        mass, charge = point["m_Z"], E_CHARGE * point["epsilon"]
        to_electrons, to_muons = (width_to_leptons(mass, charge, lepton) for lepton in (M_E, M_MU))
        return {
            "to_electrons": to_electrons,
            "to_muons": to_muons,
            "to_hadrons": width_to_hadrons(mass, point["epsilon"]),
        }

    def reactions(self, point, nuisances):
        """What neutrino beams make: a production, the flight of nu_4, the pair with its flight, the decays."""
        charge, widths = E_CHARGE * point["epsilon"], self.widths(point)
        mass, g, to_protons = (jnp.reshape(number, (1,)) for number in (point["m_Z"], point["g"], charge))
        exchange = VectorExchange(point["m_4"], mass, g, to_protons, None, self.targets.form_factors(nuisances))
        width_4 = 2.0 * width_fermion_to_fermion_vector(point["m_4"], 0.0, point["m_Z"], point["g"])  # Majorana
        width_Z, is_open = sum(widths.values()), point["m_4"] > point["m_Z"]
        flight_4 = HBAR_C_M / (jnp.maximum(width_4, 1e-40) * point["m_4"])  # c tau / m, m/GeV
        pair = Pair(point["m_Z"], HBAR_C_M / (width_Z * point["m_Z"]))
        to_pairs = jnp.where(is_open, widths["to_electrons"] / width_Z, 0.0)
        return (Reaction(exchange, flight_4, pair, (Channel(to_pairs, jnp.zeros(())),)),)

    def light_bosons(self, point):
        """What searches at colliders, dumps and in meson decays look for."""
        charge = E_CHARGE * point["epsilon"]
        quarks = {"g_u": 2.0 / 3.0 * charge, "g_d": -charge / 3.0}
        numbers = {"g_e": -charge, "g_mu": -charge, **quarks, "g_nu": point["g"], **self.widths(point)}
        return (LightBosons.of("vector", point["m_Z"], **numbers),)

    def lepton_moment(self, point, lepton):
        """Delta a_l; what g-2 looks for."""
        mass = {"electron": M_E, "muon": M_MU, "tau": 1.77686}[lepton]
        return vector_moment(mass, point["m_Z"], E_CHARGE * point["epsilon"])


model = MyVector()
