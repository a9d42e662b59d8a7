"""The numbers of arXiv:2007.11813 that need no mass matrix: Delta a_mu, oblique parameters, Z, Higgs, kaons.

A formula that the paper prints is computed as printed, and beside it what the Lagrangian gives.
"""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from anomfit.data import load_record
from anomfit.measurements.lepton_moments import load_lepton_moment
from anomfit.models.dark_seesaw import DarkSeesaw
from anomfit.parameters import Point
from anomfit.physics.constants import G_F, V_EW
from anomfit.physics.dark_seesaw import M_Z
from anomfit.physics.penguin_decays import LAMBDA_T, penguin_branching_ratio
from anomfit.reproduce import dark_seesaw_second as second
from anomfit.reproduce.dark_seesaw import LABELS, Benchmarks
from anomfit.reproduce.inputs import linearised
from anomfit.reproduce.statements import Computed

V_PHI = 0.5  # GeV, of the paper's examples
KAONS = {
    "koto": ("K_L -> pi0", "koto/kl_pi0_X_2015", "limit"),
    "na62": ("K+ -> pi+", "kaon/na62_2016_2018_kplus_piplus_X", "limit_10000ps"),
}
"""Decay, record of the limit and its column; the first row is that of a massless boson."""
VARIED = (
    *("epsilon", "m_Zprime", "sin2_theta_W", "alpha_Z", "m_h", "higgs_invisible", "higgs_width", "lambda_PhiH"),
    *("s_theta", "H_squared", "alpha_epsilon_squared", "lighter_epsilon_squared", "m_top", "lambda_t"),
)


def _numbers(model: DarkSeesaw, point: Point, data):
    """All of them by statement, widths in GeV, and what the Lagrangian gives where a printed formula is another."""
    parts = (_muon(model, point, data), _oblique(point), _bosons(point), _kaons(point, data))
    return {k: v for numbers, _ in parts for k, v in numbers.items()}, {k: v for _, o in parts for k, v in o.items()}


def _muon(model: DarkSeesaw, point: Point, data):
    """Delta a_mu of Z', and what a lighter Z' of the same Delta a_mu needs."""
    measured = data["muon"]
    moment = model.lepton_moment(point, "muon")
    light = {**point, "m_Zprime": point["lighter_m_Zprime"], "epsilon": jnp.ones(())}
    epsilon_squared = moment / model.lepton_moment(light, "muon")
    ratio = point["m_Zprime"] / point["lighter_m_Zprime"]
    numbers = {
        "moment_pull": jnp.abs(measured.pulls(measured.predict(model, point, {}), {})[0]),
        "lighter_epsilon_squared": epsilon_squared,
        "lighter_coupling": ratio**4 * point["lighter_epsilon_squared"] / point["epsilon"] ** 2,
    }
    return numbers, {"moment": moment}


def _oblique(point: Point):
    """Equations B1 to B3, to leading order in epsilon and mu = m_Z'/m_Z."""
    s2, alpha, epsilon2 = point["sin2_theta_W"], point["alpha_Z"], point["epsilon"] ** 2
    c2, mu2 = 1.0 - s2, (point["m_Zprime"] / M_Z) ** 2
    literal = 4.0 * s2 * epsilon2 * (1.0 + mu2) / alpha
    numbers = {
        "S_oblique": c2 * literal,
        "S_oblique_literal": literal,
        "T_oblique": -s2 * epsilon2 / c2 * mu2 / alpha,
        "U_oblique": 4.0 * s2**2 * epsilon2 / alpha,
    }
    return numbers, {}


def _bosons(point: Point):
    """Equations B5 to B10 as printed, and the widths that the Lagrangian gives."""
    s2, m_h, s_theta2 = point["sin2_theta_W"], point["m_h"], point["s_theta"] ** 2
    tan2, product, H2 = s2 / (1.0 - s2), point["alpha_epsilon_squared"], point["H_squared"]
    g2 = 4.0 * jnp.pi * point["alpha_Z"] / s2
    coupling = 4.0 * (4.0 * jnp.pi * product) * s2 / g2  # (2 g_X s_W epsilon/g)^2 |V_jk|^2
    quartic = m_h**2 / (2.0 * V_EW**2)
    scalars = point["lambda_PhiH"] ** 2 * V_EW**2 / (32.0 * jnp.pi * m_h)
    longitudinal = s_theta2 * m_h**3 / (32.0 * jnp.pi * V_PHI**2)
    invisible = point["higgs_invisible"]
    numbers = {
        "Z_to_pair": coupling * G_F * M_Z**3 / (12.0 * np.sqrt(2.0) * np.pi),
        "Z_to_scalar": jnp.pi * product * tan2 * M_Z / 12.0,
        "h_invisible": point["higgs_width"] * invisible / (1.0 - invisible),
        "h_to_pair": H2 * m_h / (4.0 * jnp.pi),
        "h_to_pair_vertex": H2 * m_h / (16.0 * jnp.pi),
        "h_to_scalars": scalars,
        "scalar_mixing": point["lambda_PhiH"] / (2.0 * quartic) * V_PHI / V_EW,
        "h_to_pair_dark": s_theta2 * m_h / (4.0 * jnp.pi),
        "h_to_Zprimes": s_theta2 * m_h / (4.0 * jnp.pi),
    }
    meant = {
        "Z_to_pair": product * tan2 * M_Z / 3.0,
        "Z_to_scalar": product * tan2 * M_Z / 12.0,
        "h_to_pair_dark": s_theta2 * m_h / (16.0 * jnp.pi),
        "h_to_Zprimes": longitudinal,
    }
    return numbers, {f"meant_{name}": width for name, width in meant.items()}


def _kaons(point: Point, data):
    """s_theta^2 at which a massless phi' has the branching ratio that KOTO and NA62 exclude."""
    numbers = {}
    for name, (mode, _, _) in KAONS.items():
        rate = penguin_branching_ratio(mode, 0.0, 1.0, point["m_top"]) * (point["lambda_t"] / LAMBDA_T) ** 2
        numbers[f"{name}_mixing"] = data[name] / rate
    numbers["mixing_below_kaons"] = jnp.sqrt(numbers["koto_mixing"]) / point["s_theta"]
    return numbers, {}


def numbers(given: Benchmarks) -> dict[str, Computed]:
    """All of them, those of the measured moment and the largest Yukawa coupling besides."""
    limits = {name: float(load_record(record).columns[column][0]) for name, (_, record, column) in KAONS.items()}
    data = {"muon": load_lepton_moment("muon", "papers"), **{name: np.asarray(limit) for name, limit in limits.items()}}
    point = given.points[LABELS[0]]  # what is used here is the same at all points
    found = linearised(_numbers, given.model, point, VARIED, data)
    others = {name: float(value) for name, value in found.others.items()}
    again = _again(point)
    details = {
        name.removeprefix(
            "meant_"
        ): f"The Lagrangian gives {value:.3g} GeV, a second computation {again[name]:.3g} GeV."
        for name, value in others.items()
        if name.startswith("meant_")
    }
    moments = [1e9 * moment for moment in (others["moment"], again["moment"])]
    details["moment_pull"] = f"Delta a_mu is {moments[0]:.3f}e-9; a heavy vector would have {moments[1]:.3f}e-9."
    details |= {f"{name}_mixing": f"The limit is {limit:.3g}." for name, limit in limits.items()}
    made = {}
    for name in found.numbers:
        checked = f"A second computation has {again[name]:.4g}." if name in again else ""
        made[name] = found.computed(name, " ".join(filter(None, (details.get(name, ""), checked))))
    return made | _muon_data() | {"largest_yukawa": _largest_yukawa(given)}


def _muon_data() -> dict[str, Computed]:
    theory = load_record("gminus2/muon").parts["theory/seed2019"].values
    error = np.sqrt(sum(theory[name] ** 2 for name in ("sigma_1", "sigma_2", "sigma_experiment")))
    return {"moment_significance": Computed(float(theory["below_experiment"] / error))}


def _largest_yukawa(given: Benchmarks) -> Computed:
    """sqrt2 M_Dk/v of BP-D, and of the other points in words."""
    largest = {
        label: max(("M_D1", "M_D2", "M_D3"), key=lambda name, point=point: abs(point[name]))
        for label, point in given.points.items()
    }
    yukawas = {label: abs(given.points[label][name]) * np.sqrt(2.0) / V_EW for label, name in largest.items()}
    words = ", ".join(f"BP-{label} {value:.2g}" for label, value in yukawas.items())
    slope = float(np.sign(given.points["D"][largest["D"]]) * np.sqrt(2.0) / V_EW)
    return Computed(float(yukawas["D"]), f"{words}.", {f"D.{largest['D']}": slope})


def _again(point: Mapping[str, float]) -> dict[str, float]:
    """By other routes: a heavy vector's moment; widths of the Lagrangian from traces of Dirac matrices."""
    tan, s_theta = np.sqrt(point["sin2_theta_W"] / (1.0 - point["sin2_theta_W"])), point["s_theta"]
    moment = second.ALPHA * point["epsilon"] ** 2 * second.M_MUON**2 / (3.0 * np.pi * point["m_Zprime"] ** 2)
    lighter = (point["lighter_m_Zprime"] / point["m_Zprime"]) ** 2
    coupling = np.sqrt(4.0 * np.pi * point["alpha_epsilon_squared"]) * tan
    found = {
        "moment": moment,
        "lighter_epsilon_squared": point["epsilon"] ** 2 * lighter,
        "lighter_coupling": point["lighter_epsilon_squared"] / (point["epsilon"] ** 2 * lighter**2),
        "h_invisible": point["higgs_width"] / (1.0 / point["higgs_invisible"] - 1.0),
        "h_to_pair_vertex": second.scalar_width(point["m_h"], np.sqrt(0.5 * point["H_squared"])),
        "meant_Z_to_pair": second.zprime_width(M_Z, 0.0, 0.0, coupling, 1.0),
        "meant_Z_to_scalar": second.width_to_scalars(M_Z, coupling),
        "meant_h_to_pair_dark": second.scalar_width(point["m_h"], np.sqrt(0.5) * s_theta),
        "meant_h_to_Zprimes": second.width_to_vectors(point["m_h"], point["m_Zprime"], V_PHI / s_theta),
    }
    return {name: float(value) for name, value in found.items()}
