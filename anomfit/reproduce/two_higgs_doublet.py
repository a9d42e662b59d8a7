"""The numbers of arXiv:2010.06159 that need its model alone: couplings, masses, moments, lifetimes, form factors.

Each group is a function of the benchmark and gives numbers by the id of their statement in data/reproduce/.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams.booster import CH2
from anomfit.data import load_record
from anomfit.measurements.lepton_moments import load_lepton_moment
from anomfit.models.two_higgs_doublet import TwoHiggsDoublet, as_published, two_higgs_doublet
from anomfit.parameters import Point
from anomfit.physics import scalar_decays, scalar_sector
from anomfit.physics.constants import HBAR_C_FM, M_N, M_P, V_EW
from anomfit.physics.neutrino_mass import mass_squared_differences
from anomfit.physics.nuclear_form_factors import B_CARBON_12, exponential, helm
from anomfit.physics.nuclei import nucleus
from anomfit.physics.nucleon_scalar import M_D, M_U
from anomfit.physics.scalar_upscattering import ScalarMediators
from anomfit.reproduce.statements import Computed


class Benchmark(NamedTuple):
    """Table I in the model with the paper's form factors and in the default one."""

    published: TwoHiggsDoublet
    default: TwoHiggsDoublet
    point: Point


def benchmark() -> Benchmark:
    """The benchmark that ships with the model."""
    point = {name: jnp.asarray(value, dtype=float) for name, value in as_published.points["table-I"].items()}
    return Benchmark(as_published, two_higgs_doublet, point)


def groups() -> tuple[Callable[[], Mapping[str, Computed]], ...]:
    """All calculations, in the order of the statements."""
    from anomfit.reproduce import two_higgs_doublet_constraints as constraints
    from anomfit.reproduce import two_higgs_doublet_lsnd as lsnd
    from anomfit.reproduce import two_higgs_doublet_miniboone as miniboone

    chosen = benchmark()
    functions = (couplings, potential, light_neutrinos, moments, lifetimes, form_factors, miniboone.experiment)
    functions = (*functions, miniboone.rates, lsnd.stopped_pions, lsnd.pairs, constraints.section_six)
    return tuple(partial(function, chosen) for function in functions)


def mediators(given: Benchmark) -> ScalarMediators:
    """(H, h') as they mediate the scattering, with the matrix elements of the paper."""
    scalars = given.published.scalars(given.point)
    F_p, F_n = given.published.nucleon_couplings(given.point)
    return ScalarMediators(
        scalars.mass, given.point["y_nu"] * scalars.doublet, F_p * scalars.doublet, F_n * scalars.doublet
    )


def couplings(given: Benchmark) -> dict[str, Computed]:
    """Table I: couplings of h' and H from the unmixed ones, equations 15, 25 and 26, the last also as it is printed."""
    point, scalars = given.point, given.published.scalars(given.point)
    found = {}
    for name in ("y_u", "y_d", "y_e", "y_mu", "y_nu"):
        found[f"{name}_hprime"] = Computed(float(point[name] * scalars.doublet[1]))
        found[f"{name}_H"] = Computed(float(point[name] * scalars.doublet[0]))
    unmixed = point["lambda_N12"]
    found["lambda_N12_hprime"] = Computed(float(unmixed * scalars.singlet[1]))
    found["lambda_N12_H"] = Computed(float(unmixed * scalars.singlet[0]))
    rotation = scalar_sector.rotation(point["sin_delta"])
    found["lambda_N12_hprime_literal"] = Computed(float(unmixed * rotation[2, 1]))
    found["lambda_N12_H_literal"] = Computed(float(unmixed * rotation[1, 1]))
    return found


def potential(given: Benchmark) -> dict[str, Computed]:
    """Masses and mixing of the scalars from the potential, equations 6, 9 and 10, and back again."""
    forms = given.published.parametrisations["potential"]
    parameters = forms.from_physical(given.point)
    physical = forms.to_physical(parameters)
    again = forms.from_physical(physical)
    names = ("mu_H", "mu_hprime", "m_12")
    worst = max(abs(float(again[name] / parameters[name] - 1.0)) for name in names)
    values = ", ".join(f"{name} = {float(parameters[name]):.6g}" for name in names)
    detail = (
        f"The potential has {values} (GeV^2, GeV^2, GeV); from it to the masses and back it changes by {worst:.0e}."
    )
    return {
        "vacuum_expectation_value": Computed(V_EW),
        **{name: Computed(float(physical[name]), detail) for name in ("m_H", "m_hprime", "sin_delta")},
    }


def light_neutrinos(given: Benchmark) -> dict[str, Computed]:
    """Mass-squared differences of the seesaw, equations 19 to 23."""
    states = given.published.light_neutrinos(given.point)
    solar, atmospheric = mass_squared_differences(states.m_light)
    mixing = ", ".join(f"{float(angle):.1e}" for angle in states.theta)
    detail = f"Mixing angles of N_1, N_2, N_3 with the light states: {mixing}."
    return {"delta_m2_21": Computed(float(solar), detail), "delta_m2_31": Computed(float(atmospheric), detail)}


def moments(given: Benchmark) -> dict[str, Computed]:
    """Delta a_mu and Delta a_e, equation 29, against equation 1."""
    measured = load_lepton_moment("muon", "papers")
    theory = load_record("gminus2/muon").parts["theory/seed2019"].values
    error = np.hypot(np.hypot(theory["sigma_1"], theory["sigma_2"]), theory["sigma_experiment"])
    H, hprime = (float(part) for part in given.published.lepton_moment_by_scalar(given.point, "muon"))
    pull = measured.pulls(measured.predict(given.published, given.point, {}), {})
    parts = f"H gives {H:.3e}, h' {hprime:.3e}."
    return {
        "delta_a_mu_measured": Computed(float(measured.value)),
        "delta_a_mu_error": Computed(float(error)),
        "delta_a_mu": Computed(H + hprime, parts),
        "delta_a_mu_pull": Computed(abs(float(pull[0]))),
        "hprime_share_of_delta_a_mu": Computed(hprime / (H + hprime), parts),
        "hprime_to_H_in_delta_a_mu": Computed(hprime / H, parts),
        "delta_a_e": Computed(float(given.published.lepton_moment(given.point, "electron"))),
    }


def lifetimes(given: Benchmark) -> dict[str, Computed]:
    """Mean lives of h' and N_2 in seconds; that of N_2 with every choice of counting and of relative CP parity."""

    def of_N2(model: TwoHiggsDoublet) -> float:
        return float(scalar_decays.lifetime_seconds(sum(model.heavy_neutrino_widths(given.point))))

    model = given.published
    width = sum(model.hprime_widths(given.point))
    choices: list[tuple[scalar_decays.MajoranaCounting, str]] = [("twice", "2 lambda"), ("once", "lambda")]
    others = "; ".join(
        f"g = {words}, {parity} CP parity: {of_N2(replace(model, majorana_counting=counting, relative_cp=sign)):.1e} s"
        for counting, words in choices
        for sign, parity in ((1, "equal"), (-1, "opposite"))
    )
    return {
        "lifetime_hprime": Computed(float(scalar_decays.lifetime_seconds(width)), "h' decays to e+e-."),
        "lifetime_N2": Computed(of_N2(model), f"{others}. The first is the model's choice."),
    }


def form_factors(given: Benchmark) -> dict[str, Computed]:
    """f_Tq from the slopes of F_N in the quark couplings, equation 27, and the slope b of carbon's form factor."""
    point = given.point
    slopes = jax.jacobian(lambda quarks: jnp.stack(given.published.nucleon_couplings(point | quarks)))(
        {name: point[name] for name in ("y_u", "y_d")}
    )
    F_p, F_n = mediators(given).F_p, mediators(given).F_n
    nucleons = " and ".join(
        f"F_p = {float(F_p[i]):.4e}, F_n = {float(F_n[i]):.4e} for {name}" for i, name in enumerate(("H", "h'"))
    )
    values = f"At Table I {nucleons}."
    found = {}
    for i, (nucleon, mass) in enumerate((("proton", M_P), ("neutron", M_N))):
        found[f"f_Tu_{nucleon}"] = Computed(float(slopes["y_u"][i]) * M_U / mass, values)
        found[f"f_Td_{nucleon}"] = Computed(float(slopes["y_d"][i]) * M_D / mass, values)
    found["b_carbon"] = Computed(_carbon_slope(given.published))
    found["b_carbon_measured"] = Computed((nucleus("C12").charge_radius / HBAR_C_FM) ** 2 / 6.0)
    return found


def _carbon_slope(model: TwoHiggsDoublet) -> float:
    """-d ln F/dQ^2 (GeV^-2) at Q^2 = 0 of the carbon form factor that the model uses."""
    carbon = next(target for target in CH2 if target.is_nucleus)
    forms = {
        "helm": lambda q_squared: helm(q_squared, carbon.protons + carbon.neutrons),
        "exponential": lambda q_squared: exponential(q_squared, B_CARBON_12),
    }
    return -float(jax.grad(lambda q_squared: jnp.log(forms[model.nuclear_form_factor](q_squared)))(0.0))
