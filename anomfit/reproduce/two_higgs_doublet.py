"""The numbers of arXiv:2010.06159 that need its model alone: couplings, masses, moments, lifetimes, form factors.

Each group is a function of the benchmark and gives numbers by the id of their statement in data/reproduce/. What a
group computes is a pure function of the inputs, `linearised`, so that each number comes with its slopes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.data import load_record
from anomfit.measurements.lepton_moments import load_lepton_moment
from anomfit.models.two_higgs_doublet import TwoHiggsDoublet, as_published, two_higgs_doublet
from anomfit.parameters import Point
from anomfit.physics import scalar_decays, scalar_sector
from anomfit.physics.constants import HBAR_C_FM, M_N, M_P, V_EW
from anomfit.physics.neutrino_mass import mass_squared_differences
from anomfit.physics.nuclear_form_factors import exponential
from anomfit.physics.nuclei import nucleus
from anomfit.physics.nucleon_scalar import Nucleon, nucleon_coupling
from anomfit.physics.targets import FormFactors
from anomfit.reproduce.inputs import Input, linearised, load_inputs
from anomfit.reproduce.statements import Computed

PAPER = "2010.06159"
NUCLEONS = {"proton": M_P, "neutron": M_N}


@dataclass(frozen=True)
class PublishedModel(TwoHiggsDoublet):
    """The model as published, whose points also hold the f_Tq and quark masses of equation 27, and b of carbon."""

    def nucleon_couplings(self, point: Point):
        """Doublet-type (F_p, F_n), equation 27."""
        return self._coupling(point, "proton"), self._coupling(point, "neutron")

    def _coupling(self, point: Point, nucleon: Nucleon):
        f_u, f_d = point[f"f_Tu_{nucleon}"], point[f"f_Td_{nucleon}"]
        return nucleon_coupling(nucleon, point["y_u"], point["y_d"], f_u, f_d, point["m_u"], point["m_d"])

    def form_factors(self, nuisances: Point) -> FormFactors:
        """The form factors in force, with the slope b among the nuisances."""
        return replace(super().form_factors(nuisances), slope=nuisances["b_carbon"])


PUBLISHED = PublishedModel(**{field.name: getattr(as_published, field.name) for field in fields(as_published)})


class Benchmark(NamedTuple):
    """Table I in the model with the paper's choices and in the default one.

    point: all inputs by name, for the published model as point and as nuisances at once; inputs: those that may move.
    """

    published: TwoHiggsDoublet
    default: TwoHiggsDoublet
    point: Mapping[str, float]
    inputs: Mapping[str, Input]


def benchmark() -> Benchmark:
    """The benchmark that ships with the model, and the other inputs of the paper."""
    inputs = load_inputs(PAPER)
    point = {name: given.value for name, given in inputs.items()} | dict(as_published.points["table-I"])
    return Benchmark(PUBLISHED, two_higgs_doublet, point, inputs)


def calculations() -> tuple[tuple[Callable[[], Mapping[str, Computed]], ...], Mapping[str, Input]]:
    """All groups of calculations, in the order of the statements, and the inputs."""
    from anomfit.reproduce import two_higgs_doublet_constraints as constraints
    from anomfit.reproduce import two_higgs_doublet_lsnd as lsnd
    from anomfit.reproduce import two_higgs_doublet_miniboone as miniboone

    given = benchmark()
    functions = (model_alone, miniboone.experiment, miniboone.rates)
    functions = (*functions, lsnd.stopped_pions, lsnd.pairs, constraints.section_six)
    return tuple(partial(function, given) for function in functions), given.inputs


COUPLINGS = ("m_hprime", "m_H", "sin_delta", "y_nu", "y_u", "y_d", "lambda_N12", "y_mu", "y_e")
NUCLEON = ("f_Tu_proton", "f_Td_proton", "f_Tu_neutron", "f_Td_neutron", "m_u", "m_d")
SCATTERING = ("m_N2", "m_N1", *COUPLINGS, *NUCLEON, "b_carbon")
"""What a rate knows: the digits of Table I, of equation 27 and of carbon's form factor, and the quark masses."""


def model_alone(given: Benchmark) -> dict[str, Computed]:
    """Couplings, potential, light neutrinos, moments, lifetimes and form factors."""
    measured = load_lepton_moment("muon", "papers")
    found = linearised(_model_alone, given.published, given.point, SCATTERING, measured)
    details = _details({name: float(value) for name, value in found.others.items()}, found.numbers)
    numbers = {name: found.computed(name, details.get(name, "")) for name in found.numbers}
    theory = load_record("gminus2/muon").parts["theory/seed2019"].values
    error = np.hypot(np.hypot(theory["sigma_1"], theory["sigma_2"]), theory["sigma_experiment"])
    return numbers | {
        "vacuum_expectation_value": Computed(V_EW),
        "delta_a_mu_measured": Computed(float(measured.value)),
        "delta_a_mu_error": Computed(float(error)),
        "b_carbon_measured": Computed((nucleus("C12").charge_radius / HBAR_C_FM) ** 2 / 6.0),
    }


def _model_alone(model: TwoHiggsDoublet, point: Point, measured):
    parts = (_couplings, _potential, _light_neutrinos, _lifetimes, _form_factors)
    found = [part(model, point) for part in parts] + [_moments(model, point, measured)]
    return {k: v for numbers, _ in found for k, v in numbers.items()}, {k: v for _, o in found for k, v in o.items()}


def _couplings(model: TwoHiggsDoublet, point: Point):
    """Table I from the unmixed couplings, equations 15, 25 and 26, the last also as it is printed."""
    scalars = model.scalars(point)
    found = {}
    for name in ("y_u", "y_d", "y_e", "y_mu", "y_nu"):
        found[f"{name}_hprime"] = point[name] * scalars.doublet[1]
        found[f"{name}_H"] = point[name] * scalars.doublet[0]
    unmixed = point["lambda_N12"]
    found["lambda_N12_hprime"] = unmixed * scalars.singlet[1]
    found["lambda_N12_H"] = unmixed * scalars.singlet[0]
    rotation = scalar_sector.rotation(point["sin_delta"])
    found["lambda_N12_hprime_literal"] = unmixed * rotation[2, 1]
    found["lambda_N12_H_literal"] = unmixed * rotation[1, 1]
    return found, {}


def _potential(model: TwoHiggsDoublet, point: Point):
    """Masses and mixing of the scalars from the potential, equations 6, 9 and 10, and back again."""
    forms = model.parametrisations["potential"]
    parameters = forms.from_physical(point)
    physical = forms.to_physical(parameters)
    again = forms.from_physical(physical)
    names = ("mu_H", "mu_hprime", "m_12")
    worst = jnp.max(jnp.stack([jnp.abs(again[name] / parameters[name] - 1.0) for name in names]))
    others = {name: parameters[name] for name in names} | {"potential_and_back": worst}
    return {name: physical[name] for name in ("m_H", "m_hprime", "sin_delta")}, others


def _light_neutrinos(model: TwoHiggsDoublet, point: Point):
    """Mass-squared differences of the seesaw, equations 19 to 23."""
    states = model.light_neutrinos(point)
    solar, atmospheric = mass_squared_differences(states.m_light)
    return {"delta_m2_21": solar, "delta_m2_31": atmospheric}, {f"theta_{i + 1}": states.theta[i] for i in range(3)}


def _moments(model: TwoHiggsDoublet, point: Point, measured):
    """Delta a_mu and Delta a_e, equation 29, against equation 1."""
    H, hprime = model.lepton_moment_by_scalar(point, "muon")
    pull = measured.pulls(measured.predict(model, point, {}), {})[0]
    found = {
        "delta_a_mu": H + hprime,
        "delta_a_mu_pull": jnp.abs(pull),
        "hprime_share_of_delta_a_mu": hprime / (H + hprime),
        "hprime_to_H_in_delta_a_mu": hprime / H,
        "delta_a_e": model.lepton_moment(point, "electron"),
    }
    return found, {"moment_of_H": H, "moment_of_hprime": hprime}


_COUNTINGS: tuple[tuple[scalar_decays.MajoranaCounting, str], ...] = (("twice", "2 lambda"), ("once", "lambda"))
_PARITIES = ((1, "equal"), (-1, "opposite"))


def _lifetimes(model: TwoHiggsDoublet, point: Point):
    """Mean lives of h' and N_2 in seconds; that of N_2 with every choice of counting and of relative CP parity."""

    def of_N2(chosen: TwoHiggsDoublet):
        return scalar_decays.lifetime_seconds(sum(chosen.heavy_neutrino_widths(point)))

    width = sum(model.hprime_widths(point))
    others = {
        f"life_{counting}_{parity}": of_N2(replace(model, majorana_counting=counting, relative_cp=sign))
        for counting, _ in _COUNTINGS
        for sign, parity in _PARITIES
    }
    return {"lifetime_hprime": scalar_decays.lifetime_seconds(width), "lifetime_N2": of_N2(model)}, others


def _form_factors(model: TwoHiggsDoublet, point: Point):
    """f_Tq from the slopes of F_N in the quark couplings, equation 27, and the slope b of carbon's form factor."""
    quarks = {name: point[name] for name in ("y_u", "y_d")}
    slopes = jax.jacfwd(lambda quarks: jnp.stack(model.nucleon_couplings({**point, **quarks})))(quarks)
    found = {}
    for i, (nucleon, mass) in enumerate(NUCLEONS.items()):
        found[f"f_Tu_{nucleon}"] = slopes["y_u"][i] * point["m_u"] / mass
        found[f"f_Td_{nucleon}"] = slopes["y_d"][i] * point["m_d"] / mass
    slope = model.form_factors(point).slope
    found["b_carbon"] = -jax.grad(lambda q_squared: jnp.log(exponential(q_squared, slope)))(0.0)
    both = model.exchange(point, point)
    return found, {f"F_{n}_{i}": F[i] for n, F in (("p", both.F_p), ("n", both.F_n)) for i in range(2)}


def _details(others: Mapping[str, float], numbers: Mapping[str, float]) -> dict[str, str]:
    """What rows say besides their number, by statement."""
    values = ", ".join(f"{name} = {others[name]:.6g}" for name in ("mu_H", "mu_hprime", "m_12"))
    back = others["potential_and_back"]
    potential = (
        f"The potential has {values} (GeV^2, GeV^2, GeV); from it to the masses and back it changes by {back:.0e}."
    )
    mixing = ", ".join(f"{others[f'theta_{i}']:.1e}" for i in (1, 2, 3))
    seesaw = f"Mixing angles of N_1, N_2, N_3 with the light states: {mixing}."
    parts = f"H gives {others['moment_of_H']:.3e}, h' {others['moment_of_hprime']:.3e}."
    lives = "; ".join(
        f"g = {words}, {parity} CP parity: {others[f'life_{counting}_{parity}']:.1e} s"
        for counting, words in _COUNTINGS
        for _, parity in _PARITIES
    )
    nucleons = " and ".join(
        f"F_p = {others[f'F_p_{i}']:.4e}, F_n = {others[f'F_n_{i}']:.4e} for {name}"
        for i, name in enumerate(("H", "h'"))
    )
    return {
        **dict.fromkeys(("m_H", "m_hprime", "sin_delta"), potential),
        **dict.fromkeys(("delta_m2_21", "delta_m2_31"), seesaw),
        **dict.fromkeys(("delta_a_mu", "hprime_share_of_delta_a_mu", "hprime_to_H_in_delta_a_mu"), parts),
        "lifetime_hprime": "h' decays to e+e-.",
        "lifetime_N2": f"{lives}. The first is the model's choice.",
        **{name: f"At Table I {nucleons}." for name in numbers if name.startswith("f_T")},
    }
