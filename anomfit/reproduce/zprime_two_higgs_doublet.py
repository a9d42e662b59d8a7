"""The numbers of arXiv:2006.01948 that need no beam: couplings, potential, moments, lifetimes, tau -> e gamma.

Each group is a function of the benchmark, Table I, and gives numbers by the id of their statement in data/reproduce/;
each number comes with its slopes in the inputs.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics import gauged_scalar_sector, radiative_lepton_decays, scalar_decays, scalar_sector, vector_decays
from anomfit.physics.constants import HBAR, HBAR_C_M, M_E, M_MU, M_P, M_TAU, V_EW
from anomfit.physics.lepton_moments import off_diagonal_scalar_moment, scalar_moment
from anomfit.physics.nucleon_vector import MAGNETIC_MOMENTS
from anomfit.reproduce.inputs import Input, linearised, load_inputs
from anomfit.reproduce.statements import Computed

PAPER = "2006.01948"
MEV = 1e-3  # GeV
MUON, ELECTRON = ("experiment/bnl-updated", "theory/wp2020"), ("experiment/harvard2008", "theory/cs2018")
"""Experiment and prediction of the paper's equations 1 and 2."""


class Benchmark(NamedTuple):
    """Table I with the other inputs of the paper, by name."""

    point: Mapping[str, float]
    inputs: Mapping[str, Input]


class Scalars(NamedTuple):
    """H and h', in this order: masses (GeV) and what of the second doublet and of the singlet is in them."""

    mass: jax.Array
    doublet: jax.Array
    singlet: jax.Array


def benchmark() -> Benchmark:
    """The values of all inputs, and how far they may move."""
    inputs = load_inputs(PAPER)
    return Benchmark({name: given.value for name, given in inputs.items()}, inputs)


def calculations() -> tuple[tuple[Callable[[], Mapping[str, Computed]], ...], Mapping[str, Input]]:
    """All groups of calculations, in the order of the statements, and the inputs."""
    from anomfit.reproduce import zprime_two_higgs_doublet_rates as rates
    from anomfit.reproduce import zprime_two_higgs_doublet_searches as searches

    given = benchmark()
    functions = (model_alone, rates.beams, searches.nucleons, searches.limits)
    return tuple(partial(function, given) for function in functions), given.inputs


def scalars(point: Point) -> Scalars:
    """H = c H_2 - s H_3 and h' = s H_2 + c H_3, equation 18."""
    sine = jnp.asarray(point["sin_delta"])
    cosine = jnp.sqrt((1.0 - sine) * (1.0 + sine))
    mass = jnp.stack([jnp.asarray(point["m_H"]), jnp.asarray(point["m_hprime"])])
    return Scalars(mass, jnp.stack([cosine, sine]), jnp.stack([-sine, cosine]))


VARIED = (
    *("m_nu4", "m_Zprime", "m_hprime", "m_H", "g_B", "g_d", "sin_delta", "y_mu", "y_e_hprime", "y_etau_ytaue", "y_tau"),
    *("mbar_H", "lambda_5_entry", "lambda_2_entry", "m_h", "v", "tau_lifetime", "m_charged_least", "y_tau_most"),
)


def model_alone(given: Benchmark) -> dict[str, Computed]:
    """Couplings, potential, moments, lifetimes, tau -> e gamma, and what was measured."""
    measured = {name: _measured(lepton, *parts) for name, lepton, parts in _MOMENTS}
    data = {name: np.array([value.value, error]) for name, (value, error, _) in measured.items()}
    found = linearised(_numbers, None, given.point, VARIED, data)
    details = _details({name: float(value) for name, value in found.others.items()})
    numbers = {name: found.computed(name, details.get(name, "")) for name in found.numbers}
    for name, (value, error, parts) in measured.items():
        numbers[f"{name}_measured"] = value._replace(detail=parts)
        numbers[f"{name}_error"] = Computed(error)
        numbers[f"{name}_significance"] = Computed(abs(value.value) / error)
    return numbers | {
        "vacuum_expectation_value": Computed(V_EW),
        "nucleon_mass": Computed(M_P),
        "anomalous_proton": Computed(MAGNETIC_MOMENTS["proton"] - 1.0),
        "anomalous_neutron": Computed(MAGNETIC_MOMENTS["neutron"]),
    }


_MOMENTS = (("delta_a_mu", "muon", MUON), ("delta_a_e", "electron", ELECTRON))


def _measured(lepton: str, experiment: str, theory: str) -> tuple[Computed, float, str]:
    """Experiment minus prediction with its error, and both in words."""
    parts = load_record(f"gminus2/{lepton}").parts
    symbol = {"muon": "a_mu", "electron": "a_e"}[lepton]
    seen, expected = (parts[name].values for name in (experiment, theory))
    error = float(np.hypot(seen["sigma_plus"], expected["sigma_plus"]))
    words = f"{parts[experiment].title} minus '{parts[theory].title}'."
    return Computed(float(seen[symbol] - expected[symbol])), error, words


def _numbers(model: None, point: Point, data):
    parts = (_couplings(point), _potential(point), _moments(point, data), _lifetimes(point), _tau(point))
    return {k: v for numbers, _ in parts for k, v in numbers.items()}, {k: v for _, o in parts for k, v in o.items()}


def _yukawas(point: Point):
    """y^mu and y^e of the second doublet, of which the paper prints the second times sin(delta)."""
    return jnp.asarray(point["y_mu"]), point["y_e_hprime"] / point["sin_delta"]


def _couplings(point: Point):
    """Equation 26 for electrons and muons."""
    y_mu, y_e = _yukawas(point)
    H, hprime = scalars(point).doublet
    width = vector_decays.width_to_chiral_pair(point["m_Zprime"], point["g_d"], point["m_nu4"], point["m_nu4"])
    numbers = {"y_mu_hprime": y_mu * hprime, "y_mu_H": y_mu * H, "y_e_H": y_e * H, "g_B": 1.0 * point["g_B"]}
    return numbers, {"zprime_width": width, "m_Zprime": jnp.asarray(point["m_Zprime"])}


def _potential(point: Point):
    """Appendix A both ways, and what stability and perturbativity leave of lambda_5, appendix B."""
    v, v_prime = point["v"], gauged_scalar_sector.singlet_vacuum_value(point["m_Zprime"], point["g_d"])
    singlet = gauged_scalar_sector.SingletCouplings(
        mbar_H_squared=(MEV * point["mbar_H"]) ** 2,
        lambda_2_prime=0.5 * (MEV * point["lambda_2_entry"] / v_prime) ** 2,
        lambda_5_prime=-((MEV * point["lambda_5_entry"]) ** 2) / (v * v_prime),
    )
    block = gauged_scalar_sector.potential_from_couplings(singlet, v, v_prime)
    states = scalar_sector.masses_from_potential(*block, v)
    table = (point["m_H"], point["m_hprime"], point["sin_delta"])
    again = gauged_scalar_sector.couplings_from_potential(scalar_sector.potential_from_masses(*table, v), v_prime)
    largest = jnp.sqrt(4.0 * jnp.pi)
    lambda_1 = (point["m_h"] / v) ** 2
    edge = gauged_scalar_sector.strongest_lambda_5(lambda_1, singlet, largest)
    within = gauged_scalar_sector.quartics(lambda_1, largest, (1.0 - 1e-6) * edge, singlet)
    beyond = gauged_scalar_sector.quartics(lambda_1, largest, (1.0 + 1e-6) * edge, singlet)
    heaviest = gauged_scalar_sector.heavy_mass(edge, singlet.mbar_H_squared, v)
    is_edge = scalar_sector.is_bounded_from_below(within) & ~scalar_sector.is_bounded_from_below(beyond)
    numbers = {
        "m_H": states.m_H / MEV,
        "m_hprime": states.m_hprime / MEV,
        "sin_delta": states.sin_delta,
        "mbar_H": jnp.sqrt(again.mbar_H_squared) / MEV,
        "lambda_5_entry": jnp.sqrt(-again.lambda_5_prime * v * v_prime) / MEV,
        "lambda_2_entry": jnp.sqrt(2.0 * again.lambda_2_prime) * v_prime / MEV,
        "lambda_5_least": (point["m_charged_least"] / v) ** 2,
        "m_charged_most": gauged_scalar_sector.heavy_mass(-largest, singlet.mbar_H_squared, v),
        "m_charged_stable": heaviest,
    }
    others = {"v_prime": v_prime, "heaviest": heaviest, "lambda_5_edge": edge, "is_edge": is_edge}
    return numbers, others | {"lambda_2_prime": again.lambda_2_prime, "lambda_5_prime": again.lambda_5_prime}


def _moments(point: Point, data):
    """Delta a_mu and Delta a_e, equations 33 and 34, with the tau in the loop of the second."""
    y_mu, y_e = _yukawas(point)
    states = scalars(point)
    pairs = list(zip(states.mass, states.doublet, strict=True))
    muon_H, muon_hprime = (scalar_moment(M_MU, m, y_mu * mix) for m, mix in pairs)
    own_H, own_hprime = (scalar_moment(M_E, m, y_e * mix) for m, mix in pairs)
    y_etau, y_taue = _tau_couplings(point)
    tau_H, tau_hprime = (off_diagonal_scalar_moment(M_E, M_TAU, m, y_etau * mix, y_taue * mix) for m, mix in pairs)
    muon, electron = muon_H + muon_hprime, own_H + own_hprime + tau_H + tau_hprime
    numbers = {
        "delta_a_mu": muon,
        "hprime_to_H_in_delta_a_mu": muon_hprime / muon_H,
        "hprime_share_of_delta_a_mu": muon_hprime / muon,
        "delta_a_e": electron,
        "delta_a_e_of_H": own_H,
        "delta_a_e_of_hprime": own_hprime,
    }
    for name, value in (("delta_a_mu", muon), ("delta_a_e", electron)):
        numbers[f"{name}_pull"] = jnp.abs(value - data[name][0]) / data[name][1]
    others = {"muon_H": muon_H, "muon_hprime": muon_hprime, "tau_H": tau_H, "tau_hprime": tau_hprime}
    return numbers, others | {"tan_squared": (states.doublet[1] / states.doublet[0]) ** 2}


def _tau_couplings(point: Point):
    """y^{e tau} and y^{tau e}, of the same size; the paper prints their product, which is negative."""
    size = jnp.sqrt(point["y_etau_ytaue"])
    return size, -size


def _lifetimes(point: Point):
    """h' -> e+e-: its life and c tau."""
    width = scalar_decays.width_to_fermions(point["m_hprime"], point["y_e_hprime"], M_E)
    y_e = _yukawas(point)[1] * scalars(point).doublet[0]
    heavy = scalar_decays.lifetime_seconds(scalar_decays.width_to_fermions(point["m_H"], y_e, M_E))
    numbers = {
        "lifetime_hprime": scalar_decays.lifetime_seconds(width),
        "ctau_hprime": HBAR_C_M / width,
        "track_mass": point["m_hprime"] / MEV,
    }
    return numbers, {"life_H": heavy}


def _tau(point: Point):
    """B(tau -> e gamma) with e and tau in the loop, at y^tau of the benchmark and at the largest that BaBar leaves."""
    _, y_e = _yukawas(point)
    y_etau, y_taue = _tau_couplings(point)
    states = scalars(point)

    def of_scalar(mass, mix, y_tau):
        electron = radiative_lepton_decays.dipole(M_TAU, M_E, mass, (y_e, y_e), (y_taue, y_etau))
        tau = radiative_lepton_decays.dipole(M_TAU, M_TAU, mass, (y_taue, y_etau), (y_tau, y_tau))
        return jax.tree.map(lambda a, b: mix**2 * (a + b), electron, tau)

    def branching_ratio(y_tau):
        each = jax.vmap(lambda mass, mix: of_scalar(mass, mix, y_tau))(states.mass, states.doublet)
        width = radiative_lepton_decays.width(M_TAU, jax.tree.map(jnp.sum, each))
        return width * point["tau_lifetime"] / HBAR

    # the amplitude is linear in y^tau: three values give the parabola
    unit = 1e-3
    y_tau = jnp.stack([jnp.asarray(point["y_tau"]), jnp.asarray(point["y_tau_most"]), *jnp.array([0.0, -unit, unit])])
    here, most, zero, below, above = jax.vmap(branching_ratio)(y_tau)
    numbers = {"tau_e_gamma": here, "tau_e_gamma_limit": here, "tau_e_gamma_most": most}
    curve = {"parabola_0": zero, "parabola_1": 0.5 * (above - below) / unit}
    return numbers, curve | {"parabola_2": (0.5 * (above + below) - zero) / unit**2}


def _details(others: Mapping[str, float]) -> dict[str, str]:
    """What rows say besides their number, by statement."""
    quartic = f"lambda'_2 = {others['lambda_2_prime']:.3g}, lambda'_5 = {others['lambda_5_prime']:.3g}"
    potential = f"v' = m_Z'/g_d = {others['v_prime'] / MEV:.1f} MeV, {quartic}."
    strongest = (
        f"Stability allows |lambda_5| up to {-others['lambda_5_edge']:.2f}, m_H+- up to {others['heaviest']:.0f} GeV"
    )
    edge = f"{strongest}{'' if others['is_edge'] else ' (not the edge)'}."
    muons = (
        f"H gives {others['muon_H']:.3e}, h' {others['muon_hprime']:.3e}; tan^2(delta) = {others['tan_squared']:.3f}."
    )
    taus = f"With the tau in the loop H gives {others['tau_H']:.2e}, h' {others['tau_hprime']:.2e}."
    zero, slope, curvature = (others[f"parabola_{i}"] for i in range(3))
    branching = f"B = {zero:.2e} + {slope:.2e} y^tau + {curvature:.2e} (y^tau)^2."
    share = others["zprime_width"] / others["m_Zprime"]
    return {
        **dict.fromkeys(("m_H", "m_hprime", "sin_delta", "mbar_H", "lambda_5_entry", "lambda_2_entry"), potential),
        **dict.fromkeys(("m_charged_most", "m_charged_stable"), edge),
        **dict.fromkeys(("delta_a_mu", "hprime_to_H_in_delta_a_mu", "hprime_share_of_delta_a_mu"), muons),
        **dict.fromkeys(("delta_a_e", "delta_a_e_of_H", "delta_a_e_of_hprime"), taus),
        **dict.fromkeys(("tau_e_gamma", "tau_e_gamma_limit", "tau_e_gamma_most"), branching),
        "lifetime_hprime": f"h' decays to e+e-. H lives {others['life_H']:.1e} s.",
        "g_B": f"To pairs of nu_4 Z' has a width of {100.0 * share:.1f} % of its mass.",
    }
