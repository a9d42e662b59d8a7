"""The numbers of section VI of arXiv:2010.06159: constraints at the benchmark, from the table that users see."""

from anomfit.constraints import ConstraintRow, constraint_table, shipped_constraints
from anomfit.data import load_record
from anomfit.physics.dark_photon import E_CHARGE
from anomfit.reproduce.statements import Computed
from anomfit.reproduce.two_higgs_doublet import Benchmark


def section_six(given: Benchmark) -> dict[str, Computed]:
    """Every statement of section VI that has a number, or a limit that it claims to respect."""
    rows = {row.name: row for row in constraint_table(given.published, given.point, shipped_constraints())}
    scalars = given.published.light_scalars(given.point)
    H, hprime = range(len(scalars.mass))
    measured = load_record("kaon/rare_decays").parts["Bzero_Kstar_ee"].values
    to_hidden = float(scalars.to_hidden[H] / scalars.width[H])
    return {
        "fgd1_events": Computed(rows["nd280-fgd1"].predicted),
        "comparison_minerva": _ratio(rows["dark-photon-comparison-minerva"]),
        "comparison_charm2": _ratio(rows["dark-photon-comparison-charm2"]),
        "neutral_current": Computed(rows["neutral-current"].predicted),
        "KL_pi0_ee_mass": Computed(float(scalars.mass[hprime]), f"The table says: {rows['KL-pi0-ee'].verdict}."),
        "hprime_life_for_kaons": Computed(
            float(scalars.lifetime[hprime]), f"The table says: {rows['Kplus-piplus-na62'].verdict}."
        ),
        "kaon_pion_hprime": Computed(rows["Kplus-piplus-line"].predicted),
        "kaon_pion_hprime_limit": Computed(rows["Kplus-piplus-line"].predicted),
        "B_Kstar_ee": Computed(measured["value"]),
        "kloe_coupling": Computed(
            rows["kloe-muons-pions"].limit * E_CHARGE, f"H decays to heavy neutrinos in {to_hidden:.1%}."
        ),
        "e141_events": _ratio(rows["e141"]),
        "na64_events": _ratio(rows["na64"]),
        "babar_electrons": _ratio(rows["babar-visible"]),
        "babar_muons": _ratio(rows["babar-muons"]),
        "trident": Computed(rows["trident-ccfr"].ratio, f"The ratio is {rows['trident-ccfr'].predicted:.3f}."),
    }


def _ratio(row: ConstraintRow) -> Computed:
    return Computed(row.ratio, f"The table says: {row.verdict}.")
