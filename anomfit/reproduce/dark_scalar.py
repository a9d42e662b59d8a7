"""The numbers of arXiv:2005.08920 that need no scattering: Table II, KOTO, the muon's moment, the conditions on decays.

Each group is a function of the benchmarks and gives numbers by the id of their statement in data/reproduce/. What holds
at a point is a pure function of its inputs, `linearised`, so that each number comes with its slopes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import gamma

from anomfit.data import load_record
from anomfit.measurements.lepton_moments import LeptonMoment, load_lepton_moment
from anomfit.models.dark_scalar import DarkScalar, as_published, dark_scalar
from anomfit.parameters import Point
from anomfit.physics.constants import HBAR_C_M
from anomfit.physics.penguin_decays import penguin_branching_ratio
from anomfit.reproduce.inputs import Input, Linearised, linearised, load_inputs
from anomfit.reproduce.statements import Computed

PAPER = "2005.08920"
MODES = {"B_K": "B+ -> K+", "B_Kstar": "B0 -> K*0", "Kplus": "K+ -> pi+", "KL": "K_L -> pi0", "KS": "K_S -> pi0"}
FORM_FACTORS = {"B_K": "B_form_factor", "B_Kstar": "Kstar_form_factor"}
SHARES = ("photons", "electrons", "neutrinos")
TABLE_I = ("kappa", "eta_u", "eta_d", "g_D", "U_mu4", "m_S", "m_nu4")
MM_PER_M = 1e3
COMMON = ("Lambda", "m_top", "lambda_t", "VtsVtb", "kaon_form_factor", "B_form_factor", "Kstar_form_factor")


@dataclass(frozen=True)
class PublishedModel(DarkScalar):
    """The model as published, whose points also hold what the meson decays are computed from.

    central: those inputs as `penguin_decays` has them, static.
    """

    central: tuple[tuple[str, float], ...] = ()

    def meson_branching_ratios(self, point: Point, mode: str):
        """Through the top penguin: as the square of the CKM factor and of the form factor."""
        found = penguin_branching_ratio(mode, point["m_S"], point["eta_u"], point["m_top"], self.long_kaon)
        name = next(name for name, words in MODES.items() if words == mode)
        inputs = ("VtsVtb" if name.startswith("B") else "lambda_t", FORM_FACTORS.get(name, "kaon_form_factor"))
        for changed in inputs:
            found = found * (point[changed] / dict(self.central)[changed]) ** 2
        return (jnp.reshape(found, (1,)),)


class Benchmarks(NamedTuple):
    """Table I with the choices of the paper and in the default model.

    points: all inputs of each by name; inputs: those that may move, those of a point as "bp1.kappa".
    """

    published: DarkScalar
    default: DarkScalar
    points: Mapping[str, Mapping[str, float]]
    inputs: Mapping[str, Input]


def benchmarks() -> Benchmarks:
    """The points that ship with the model, and the other inputs of the paper."""
    common = load_inputs(PAPER)
    central = {name: given.value for name, given in common.items()}
    inputs = dict(common)
    for label in as_published.points:
        inputs |= {f"{label}.{name}": given for name, given in load_inputs(PAPER, f"inputs_{label}").items()}
    chosen = {field.name: getattr(as_published, field.name) for field in fields(as_published)}
    model = PublishedModel(**chosen, central=tuple(central.items()))
    points = {label: central | dict(point) for label, point in as_published.points.items()}
    return Benchmarks(model, dark_scalar, points, inputs)


def calculations() -> tuple[tuple[Callable[[], Mapping[str, Computed]], ...], Mapping[str, Input]]:
    """All groups of calculations, in the order of the statements, and the inputs."""
    from anomfit.reproduce import dark_scalar_scattering as scattering

    given = benchmarks()
    functions = (table_two, koto, conditions, lengths, scattering.rates, masses_and_moments)
    return tuple(partial(function, given) for function in functions), given.inputs


class AtPoints(NamedTuple):
    """The same numbers at every point, each with its slopes."""

    found: Mapping[str, Linearised]

    def computed(self, label: str, name: str, detail: str = "") -> Computed:
        """A number at a point; the slopes carry the names of the point's inputs."""
        at = self.found[label]
        slopes = {f"{label}.{key}" if key in TABLE_I else key: slope for key, slope in at.slopes[name].items()}
        return Computed(at.numbers[name], detail, slopes)

    def values(self, name: str) -> dict[str, float]:
        """A number by point."""
        return {label: at.numbers[name] for label, at in self.found.items()}

    def extreme(self, name: str, choose: Callable[..., str] = max, among: Callable[[str], bool] = lambda _: True):
        """(point, number) where it is largest, or smallest."""
        values = {label: value for label, value in self.values(name).items() if among(label)}
        where = choose(values, key=values.__getitem__)
        return where, self.computed(where, name, f"At {where}.")


def at_points(function, given: Benchmarks, names: tuple[str, ...], data=()) -> AtPoints:
    """`linearised` at each point, compiled once."""
    found = {label: linearised(function, given.published, point, names, data) for label, point in given.points.items()}
    return AtPoints(found)


def observables(model: DarkScalar, point: Point) -> dict[str, jax.Array]:
    """Branching ratios of S and of the mesons that make it."""
    widths = model.scalar_widths(point)
    shares = zip(SHARES, (widths.to_photons, widths.to_electrons, widths.to_neutrinos), strict=True)
    rates = {name: model.meson_branching_ratios(point, mode)[0][0] for name, mode in MODES.items()}
    return {**{name: width / widths.total for name, width in shares}, **rates}


_observables = jax.jit(observables, static_argnames="model")


def _decays(model: DarkScalar, point: Point, measured: LeptonMoment):
    """Table II, every product of a meson's rate and a share, lengths in mm, and the muon's moment."""
    rates = observables(model, point)
    products = {f"{meson} {share}": rates[meson] * rates[share] for meson in MODES for share in SHARES}
    one_loop, two_photons = model.lepton_moment_by_diagram(point, "muon")
    pull = measured.pulls(measured.predict(model, point, {}), {})[0]
    others = {
        "moment": one_loop + two_photons,
        "two_photon_share": two_photons / (one_loop + two_photons),
        "pull": jnp.abs(pull),
        "m_S": MM_PER_M * point["m_S"],  # MeV
        "m_nu4": MM_PER_M * point["m_nu4"],
    }
    return {**rates, **products, **others, **_lengths(model, point)}, {}


def decays(given: Benchmarks) -> AtPoints:
    """All that needs no scattering, at every point."""
    return at_points(_decays, given, (*TABLE_I, *COMMON), load_lepton_moment("muon", "papers"))


def table_two(given: Benchmarks) -> dict[str, Computed]:
    """Table II by point: decays of S, and rates of B, K+ and K_L."""
    at, found = decays(given), {}
    for label, point in given.points.items():
        default = _observables(given.default, point)
        for name in (*SHARES, "B_K", "Kplus", "KL"):
            detail = f"The default model has {default[name]:.3g}."
            if name == "B_K":
                detail += f" B0 -> K*0: {at.values('B_Kstar')[label]:.3g}."
            found[f"{name}_{label}"] = at.computed(label, name, detail)
    return found


def koto(given: Benchmarks) -> dict[str, Computed]:
    """Equations 1 and 3, what pi0 -> invisible implies, the muon's moment in standard deviations."""
    record = load_record("koto/eras").parts["2019"].values
    events = record["observed"] - 1.0  # one candidate was suspect
    limits = {"": 0.6827, "_95": 0.95}
    found = {"koto_rate": Computed(events * record["ses"], f"{events:.0f} events of {record['ses']:.2g} each.")}
    for suffix, level in limits.items():
        tail = 0.5 * (1.0 - level)
        low, high = gamma.ppf(tail, events), gamma.ppf(1.0 - tail, events + 1.0)  # Garwood's interval
        words = f"The central interval of {events:.0f} Poisson events, without background: {low:.2f} to {high:.2f}."
        found[f"koto_rate_up{suffix}"] = Computed(float(high - events) * record["ses"], words)
        found[f"koto_rate_down{suffix}"] = Computed(float(events - low) * record["ses"], words)
    widest = penguin_branching_ratio("K_L -> pi0", 0.0, 1.0, long_kaon="absolute")
    pion = load_record("kaon/photons_and_b_mesons").parts["pi0_invisible"].values
    invisible, share = pion["limit"], pion["kaon_to_pion_pair"]
    theory = load_record("gminus2/muon").parts["theory/seed2019"].values
    error = np.sqrt(sum(theory[name] ** 2 for name in ("sigma_1", "sigma_2", "sigma_experiment")))
    return {
        **found,
        "grossman_nir": Computed(
            float(widest / penguin_branching_ratio("K+ -> pi+", 0.0, 1.0)),
            "The lives of the kaons and their masses with those of the pions; isospin is exact here.",
        ),
        "invisible_pion_as_kaon": Computed(invisible * share, f"{invisible:.1e} times B(K+ -> pi+ pi0) = {share}."),
        "g_minus_2_significance": Computed(float(theory["below_experiment"] / error)),
    }


def conditions(given: Benchmarks) -> dict[str, Computed]:
    """Section III: what the paper asks of its points, at the worst of them."""
    at = decays(given)
    worst, pull = at.extreme("pull", among=partial(has_kappa, given))
    moments = ", ".join(f"{1e9 * value:.2f}" for label, value in at.values("moment").items() if has_kappa(given, label))
    products = {
        "koto_high": "KL neutrinos",
        "KL_pi0_ee": "KL electrons",
        "KL_pi0_gg": "KL photons",
        "KS_pi0_gg": "KS photons",
        "Kplus_piplus_gg": "Kplus photons",
        "Kplus_piplus_nunu": "Kplus neutrinos",
        "B_K_gg": "B_Kstar photons",
        "B_Kstar_ee": "B_Kstar electrons",
        "B_K_nunu": "B_K neutrinos",
        "B_Kstar_nunu": "B_Kstar neutrinos",
        "B_K_gg_signal": "B_K photons",
        "K_pi_gg_signal": "Kplus photons",
    }
    return {name: at.extreme(product)[1] for name, product in products.items()} | {
        "koto_low": at.extreme("KL neutrinos", min)[1],
        "delta_a_mu_pull": pull._replace(detail=f"At {worst}; Delta a_mu = {moments} e-9 at the points in order."),
    }


def has_kappa(given: Benchmarks, label: str) -> bool:
    """Points 1 to 4, whose Delta a_mu the paper calls solved."""
    return given.points[label]["kappa"] > 0.0


def lengths(given: Benchmarks) -> dict[str, Computed]:
    """c tau of S and nu_4, mm, the longest of the points."""
    at = decays(given)
    found = {}
    for name in ("length_S", "length_nu4"):
        where, computed = at.extreme(name)
        ours = _lengths(given.default, given.points[where])[name]
        found[name] = computed._replace(detail=f"At {where}; {ours:.2g} mm in the default model.")
    return found


@partial(jax.jit, static_argnames="model")
def _lengths(model: DarkScalar, point: Point) -> dict[str, jax.Array]:
    """c tau in mm."""
    widths = {"length_S": model.scalar_widths(point).total, "length_nu4": model.nu4_decay_width(point)}
    return {name: MM_PER_M * HBAR_C_M / width for name, width in widths.items()}


def masses_and_moments(given: Benchmarks) -> dict[str, Computed]:
    """Ranges of the masses (MeV), and what makes the muon's moment."""
    at = decays(given)
    ends = {
        f"{words}_{symbol}": at.extreme(f"m_{symbol}", choose)[1]
        for symbol in ("S", "nu4")
        for words, choose in (("lightest", min), ("heaviest", max))
    }
    with_kappa = partial(has_kappa, given)
    shares = ", ".join(f"{x:.3f}" for label, x in at.values("two_photon_share").items() if with_kappa(label))
    return {
        **ends,
        "two_photon_share": at.extreme("two_photon_share", min, with_kappa)[1]._replace(detail=shares),
        "delta_a_mu_unsolved": at.extreme("pull", min, lambda label: not with_kappa(label))[1],
    }
