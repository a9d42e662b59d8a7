"""The numbers of section V of arXiv:2006.01948: Z' off nucleons, quarks and electrons, and limits at the benchmark.

Limits are those of `anomfit constraints`, of which only the ones that the paper speaks of are computed.
"""

from collections.abc import Mapping
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams.booster import miniboone_beam
from anomfit.catalogue import shipped_constraints
from anomfit.constraints import Constraint
from anomfit.constraints.deep_inelastic import PICOBARN
from anomfit.constraints.elastic_nucleons import flux_averaged, standard_model_in_bins
from anomfit.data import load_record
from anomfit.models.zprime_two_higgs_doublet import ZprimeTwoHiggsDoublet, as_published, zprime_two_higgs_doublet
from anomfit.parameters import Point
from anomfit.physics.deep_inelastic import cross_section, quark_charges
from anomfit.physics.targets import FormFactors
from anomfit.physics.vector_exchange import VectorExchange
from anomfit.reproduce.inputs import linearised
from anomfit.reproduce.statements import Computed
from anomfit.reproduce.zprime_two_higgs_doublet import Benchmark

OFF_NUCLEONS = ("m_nu4", "m_Zprime", "g_B", "g_d", "U_mu4_squared")
MODE = "antineutrino"
AROUND = 1e-2  # relative, half a width: bins in which the Standard Model is averaged, about one Q^2
ON_ELECTRONS = ("kloe-electrons", "babar-visible", "e137", "e141", "orsay")
IN_SAMPLES = ("charm2-electrons", "minerva-electrons")
RATIOS = (*ON_ELECTRONS, "oscillation-matter", "lsnd-decays")


# -- nucleons and quarks ----------------------------------------------------------------------------------------------


def nucleons(given: Benchmark) -> dict[str, Computed]:
    """Z' over the Standard Model: elastic antineutrinos on free protons, and deep inelastic scattering."""
    elastic = load_record("accelerators/numu_nc_elastic")
    middle = 0.5 * (elastic.columns["Q2_lo_GeV2"] + elastic.columns["Q2_hi_GeV2"])
    ends = middle[[0, -1]]
    beam = miniboone_beam("numu-only", MODE)
    proton = next(target for target in beam.composition if target.name == "proton")
    beam = replace(beam, composition=(replace(proton, count=1.0, bound=()),))
    edges = np.ravel(np.outer(ends, [1.0 - AROUND, 1.0 + AROUND]))
    standard = standard_model_in_bins(beam, edges, elastic.values["axial_mass"], MODE)[[0, 2]]
    table = load_record("accelerators/neutrino_dis").columns
    deep = {"energy": table["E_GeV"], "standard": PICOBARN * table["nu_nc_pb"]}
    found = linearised(_shares, None, given.point, OFF_NUCLEONS, (beam, ends, standard, deep))
    words = f"Q^2 is {ends[0]:.3g} to {ends[1]:.3g} GeV^2."
    details = {"elastic_least": words, "elastic_most": words}
    return {name: found.computed(name, details.get(name, "")) for name in found.numbers}


def exchange(point: Point) -> VectorExchange:
    """Z' between the neutrino and baryon number, without kinetic mixing."""
    mixing = jnp.sqrt(point["U_mu4_squared"]) * (1.0 - point["U_mu4_squared"])
    numbers = (point["m_Zprime"], point["g_d"] * mixing, point["g_B"], point["g_B"])
    forms = FormFactors("dipole", "exponential", 1.0)
    mass, g, proton, neutron = (jnp.reshape(number, (1,)) for number in numbers)
    return VectorExchange(jnp.asarray(point["m_nu4"]), mass, g, proton, neutron, forms)


def _shares(model: None, point: Point, data):
    beam, ends, standard, deep = data
    how = exchange(point)
    most, least = flux_averaged(how, beam, ends) / standard
    charges = quark_charges(how.charge_p[0], how.charge_n[0])  # type: ignore[index]
    off_quarks = jax.vmap(lambda e: cross_section(e, how.mass[0], how.g[0], *charges))(jnp.asarray(deep["energy"]))
    numbers = {"elastic_least": least, "elastic_most": most, "deep_share": jnp.min(deep["standard"] / off_quarks)}
    return numbers, {}


# -- limits -----------------------------------------------------------------------------------------------------------


def limits(given: Benchmark) -> dict[str, Computed]:
    """The benchmark against limits that the paper finds respected, and pairs in argon gas."""
    rows = _rows()
    found = linearised(_electrons, as_published, given.point, OFF_NUCLEONS, {name: rows[name] for name in IN_SAMPLES})
    values = {name: jnp.asarray(float(value)) for name, value in given.point.items()}
    ratios = jax.device_get(_ratios({name: rows[name] for name in RATIOS}, values))
    each = ", ".join(f"{name} {ratios[name]:.2g}" for name in ON_ELECTRONS)
    numbers = {name: found.computed(name) for name in found.numbers} | {
        "oscillation_limit": Computed(float(ratios["oscillation-matter"])),
        "nu4_limit": Computed(float(ratios["lsnd-decays"])),
        "y_e_limit": Computed(float(max(ratios[name] for name in ON_ELECTRONS)), f"Ratios: {each}."),
    }
    point = {name: jnp.asarray(float(value)) for name, value in zprime_two_higgs_doublet.points["table-I"].items()}
    gas = rows["nd280-gas"]
    pairs = float(jax.jit(lambda at: gas.outcome(zprime_two_higgs_doublet, at, {}).predicted)(point))
    return numbers | {"nd280_gas": Computed(pairs, "The default model, whose H decays to two h'.")}


def model_point(model: ZprimeTwoHiggsDoublet, point: Point) -> dict[str, jax.Array]:
    """The model's physical point with Table I as the paper prints it."""
    same = ("m_nu4", "m_Zprime", "m_hprime", "m_H", "g_B", "g_d", "sin_delta", "y_mu")
    changed = {name: point[name] for name in same} | {
        "U_mu4": jnp.sqrt(point["U_mu4_squared"]),
        "y_e": point["y_e_hprime"] / point["sin_delta"],
    }
    return {name: jnp.asarray(value) for name, value in {**model.points["table-I"], **changed}.items()}


def _electrons(model: ZprimeTwoHiggsDoublet, point: Point, rows: Mapping[str, Constraint]):
    """nu_mu e -> nu_4 e over the Standard Model."""
    at = model_point(model, point)
    names = {"electrons_charm2": "charm2-electrons", "electrons_minerva": "minerva-electrons"}
    return {name: rows[row].outcome(model, at, {}).predicted for name, row in names.items()}, {}


@jax.jit
def _ratios(rows: Mapping[str, Constraint], point: Point) -> dict[str, jax.Array]:
    """What the paper's own model has over each limit."""
    at = model_point(as_published, point)
    return {name: row.outcome(as_published, at, {}).ratio for name, row in rows.items()}


def _rows() -> dict[str, Constraint]:
    """Constraints by name."""
    return {row.name: row for row in shipped_constraints()}
