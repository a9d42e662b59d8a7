"""The numbers of section VI of arXiv:2010.06159: constraints at the benchmark, as users see them.

The rows are those of `anomfit constraints`, of which only the ones that the paper has numbers for are computed.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams.flux import Beam, make_beam
from anomfit.beams.molecules import compound, molecules
from anomfit.catalogue import shipped_constraints
from anomfit.constraints import Constraint
from anomfit.constraints.dark_photon_reference import benchmark as dark_photon
from anomfit.constraints.neutrino_scattering import count_pairs
from anomfit.constraints.report import verdict_of
from anomfit.data import load_record
from anomfit.models.two_higgs_doublet import TwoHiggsDoublet
from anomfit.parameters import Point
from anomfit.physics.constants import E_CHARGE, M_TAU
from anomfit.rates.pair_events import Nodes, pair_events
from anomfit.reproduce.inputs import linearised
from anomfit.reproduce.statements import Computed
from anomfit.reproduce.two_higgs_doublet import SCATTERING, Benchmark

RATIOS = {  # prediction over limit
    "comparison_minerva": "dark-photon-comparison-minerva",
    "comparison_charm2": "dark-photon-comparison-charm2",
    "e141_events": "e141",
    "na64_events": "na64",
    "babar_electrons": "babar-visible",
    "babar_muons": "babar-muons",
    "trident": "trident-ccfr",
}
PREDICTIONS = {
    "neutral_current": "neutral-current",
    "deepcore_flight": "double-bang-deepcore",
    "icecube_flight": "double-bang-icecube",
    "kaon_pion_hprime": "Kplus-piplus-line-paper",
    "kaon_pion_hprime_limit": "Kplus-piplus-line-paper",
}
FGD1 = "nd280-fgd1"
OTHERS = ("KL-pi0-ee", "Kplus-piplus-na62", "kloe-muons-pions", "pi0-ee-ktev")  # whose verdict or limit is told
FLIGHTS = {"deepcore": "double-bang-deepcore", "icecube": "double-bang-icecube"}
TOLD = (*RATIOS.values(), *OTHERS)
WANTED = {*TOLD, *PREDICTIONS.values(), FGD1}
INPUTS = (
    *SCATTERING,
    "nd280_efficiency",
    "nd280_lowest",
    "chiral_kaons",
    "deepcore_energy",
    "icecube_energy",
    "t2k_flux",
)
ARGON_GAS = 0.016  # t, section VI
TPC_NODES = Nodes(energy=96, angle=22, parent=64, polar=16, lowest=0.2, highest=10.0)  # GeV, section VI


def section_six(given: Benchmark) -> dict[str, Computed]:
    """Every statement of section VI that has a number, or a limit that it claims to respect."""
    rows = {entry.name: entry for entry in shipped_constraints() if entry.name in WANTED}
    told, in_gas = jax.device_get(
        _outcomes({name: rows[name] for name in TOLD}, _argon_beam(), given.published, given.point)
    )
    moved = {name: rows[name] for name in (*PREDICTIONS.values(), FGD1)}
    found = linearised(_predictions, given.published, given.point, INPUTS, moved)
    told |= found.others["outcomes"]
    verdicts = {name: verdict_of(rows[name], *(float(x) for x in outcome)) for name, outcome in told.items()}
    words = {name: f"The table says: {verdicts[row]}." for name, row in (RATIOS | PREDICTIONS).items()} | {
        "trident": f"The ratio to the Standard Model is {told['trident-ccfr'].predicted:.3f}.",
        "KL_pi0_ee_mass": f"The table says: {verdicts['KL-pi0-ee']}.",
        "hprime_life_for_kaons": f"The table says: {verdicts['Kplus-piplus-na62']}.",
    }
    pion = rows["pi0-ee-ktev"]
    added = float(told[pion.name].predicted) - pion.about.without
    hidden = f"H decays to heavy neutrinos in {found.others['to_hidden']:.1%}."
    return {
        **{name: Computed(float(told[row].ratio), words[name]) for name, row in RATIOS.items()},
        **{name: found.computed(name, words.get(name, "")) for name in found.numbers},
        "tpc_events": Computed(float(in_gas), slopes={"t2k_flux": float(in_gas)}),
        "pion_rate": Computed(added / float(np.asarray(pion.data["sigma_plus"]))),
        "kloe_coupling": Computed(float(told["kloe-muons-pions"].limit) * E_CHARGE, hidden),
        **_data(),
    }


def _data() -> dict[str, Computed]:
    """Cuts, efficiencies, limits and measured numbers of the records that the rows use."""
    nd280, rare = load_record("accelerators/pair_searches").parts["nd280"].values, load_record("kaon/rare_decays").parts
    kstar = rare["Bzero_Kstar_ee"].values
    return {
        "safe_mixing": Computed(dark_photon()["U_mu4"]),
        "fgd1_cut": Computed(nd280["lowest"]),
        "fgd1_efficiency": Computed(nd280["efficiency"]),
        "KL_pi0_ee_limit": Computed(rare["KL_pi0_ee"].values["limit"]),
        "stopped_kaon_limit": Computed(rare["Kplus_piplus_phi_stopped"].values["limit"]),
        "B_Kstar_ee": Computed(kstar["value"]),
        "B_Kstar_ee_error": Computed(float(np.mean([kstar["sigma_minus"], kstar["sigma_plus"]]))),
    }


@partial(jax.jit, static_argnames="model")
def _outcomes(rows: Mapping[str, Constraint], gas: Beam, model: TwoHiggsDoublet, point: Point):
    """What the rows say, and the pairs in argon gas with the efficiency that the paper takes for FGD1."""
    in_argon = replace(model, targets=replace(model.targets, nucleus="measured"))
    (reaction,) = in_argon.reactions(point, point)
    events = pair_events(reaction, gas, TPC_NODES)
    pairs = jnp.sum(count_pairs(events, jnp.array([TPC_NODES.lowest, TPC_NODES.highest])))
    return {name: row.outcome(model, point, point) for name, row in rows.items()}, point["nd280_efficiency"] * pairs


def _predictions(model: TwoHiggsDoublet, point: Point, rows: Mapping[str, Constraint]):
    """The numbers that inputs move: predictions of rows, the count in FGD1, and the scalars themselves."""
    found = {name: row.outcome(model, point, point) for name, row in _with_inputs(rows, point).items()}
    (scalars,), flux = model.light_bosons(point), 1.0 + point["t2k_flux"]
    numbers = {name: found[row].predicted for name, row in PREDICTIONS.items()}
    numbers |= {name: point["chiral_kaons"] * numbers[name] for name in ("kaon_pion_hprime", "kaon_pion_hprime_limit")}
    numbers |= {f"{name}_resolution": found[row].ratio for name, row in FLIGHTS.items()}
    numbers |= {
        "fgd1_events": flux * found[FGD1].predicted,
        "quark_couplings": scalars.g_u[0],
        "quark_suppression": scalars.g_u[0] ** 2,
        "KL_pi0_ee_mass": scalars.mass[1],
        "hprime_life_for_kaons": scalars.lifetime[1],
        "Kplus_munu_ee_mass": scalars.mass[1],
        "pion_quark_couplings": scalars.g_u[0],
        "pion_electron_coupling": scalars.g_e[0],
        "four_lepton_cut": scalars.mass[0],
        "H_couplings": jnp.max(jnp.abs(jnp.stack([scalars.g_e[0], scalars.g_mu[0], scalars.g_u[0], scalars.g_d[0]]))),
        "tau_pairs": scalars.mass[0] / (2.0 * M_TAU),
    }
    return numbers, {"outcomes": found, "to_hidden": scalars.branching_ratio("semivisible")[0]}


def _with_inputs(rows: Mapping[str, Constraint], point: Point) -> dict[str, Constraint]:
    """The rows with the inputs of the paper that stand in their data."""
    changed = {name: {"energy": point[f"{key}_energy"]} for key, name in FLIGHTS.items()}
    window = jnp.asarray(rows[FGD1].data["window"]).at[0].set(point["nd280_lowest"])
    changed[FGD1] = {"efficiency": point["nd280_efficiency"], "window": window}
    return {**rows} | {name: _changed(rows[name], data) for name, data in changed.items()}


def _changed(row: Constraint, data) -> Constraint:
    return Constraint({**row.data, **data}, row.about, row.physics, row.nuisances, row.integral)


def _argon_beam():
    """T2K's neutrinos on the gas of the time projection chambers, both horn modes."""
    values = load_record("accelerators/pair_searches").parts["nd280"].values
    argon = compound({"Ar40": 1.0})
    number = molecules(ARGON_GAS, sum(target.protons + target.neutrons for target in argon if target.is_nucleus))
    tables, exposures = [], []
    for flux, exposure in (("nd280_fhc", "pot_nu"), ("nd280_rhc", "pot_nubar")):
        columns = load_record(f"accelerators/flux_{flux}").columns
        tables.append((columns["E_lo_GeV"], columns["E_hi_GeV"], columns["numu"] + columns["numubar"]))
        exposures.append(values[exposure] * number)
    return make_beam(tables, exposures, argon)
