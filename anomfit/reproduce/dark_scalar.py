"""The numbers of arXiv:2005.08920 that need no scattering: Table II, KOTO, the muon's moment, the conditions on decays.

Each group is a function of the benchmarks and gives numbers by the id of their statement in data/reproduce/.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import gamma

from anomfit.data import load_record
from anomfit.measurements.lepton_moments import load_lepton_moment
from anomfit.models.dark_scalar import DarkScalar, as_published, dark_scalar
from anomfit.parameters import Point
from anomfit.physics.constants import HBAR_C_M
from anomfit.physics.penguin_decays import penguin_branching_ratio
from anomfit.reproduce.statements import Computed

MODES = {"B_K": "B+ -> K+", "B_Kstar": "B0 -> K*0", "Kplus": "K+ -> pi+", "KL": "K_L -> pi0", "KS": "K_S -> pi0"}
SHARES = ("photons", "electrons", "neutrinos")


class Benchmarks(NamedTuple):
    """Table I with the choices of the paper and in the default model."""

    published: DarkScalar
    default: DarkScalar
    points: Mapping[str, Point]


def benchmarks() -> Benchmarks:
    """The points that ship with the model."""
    points = {
        name: {key: jnp.asarray(value, dtype=float) for key, value in point.items()}
        for name, point in as_published.points.items()
    }
    return Benchmarks(as_published, dark_scalar, points)


def groups() -> tuple[Callable[[], Mapping[str, Computed]], ...]:
    """All calculations, in the order of the statements."""
    from anomfit.reproduce import dark_scalar_scattering as scattering

    given = benchmarks()
    functions = (table_two, koto, conditions, lengths, scattering.rates, masses_and_moments)
    return tuple(partial(function, given) for function in functions)


def observables(model: DarkScalar, point: Point) -> dict[str, jax.Array]:
    """Branching ratios of S and of the mesons that make it."""
    widths = model.scalar_widths(point)
    shares = zip(SHARES, (widths.to_photons, widths.to_electrons, widths.to_neutrinos), strict=True)
    rates = {name: model.meson_branching_ratio(point, mode)[0] for name, mode in MODES.items()}
    return {**{name: width / widths.total for name, width in shares}, **rates}


_observables = jax.jit(observables, static_argnames="model")
_slopes = jax.jit(jax.jacfwd(observables, argnums=1), static_argnames="model")


def table_two(given: Benchmarks) -> dict[str, Computed]:
    """Table II by point: decays of S, and rates of B, K+ and K_L."""
    found = {}
    for label, point in given.points.items():
        published, default = (_observables(model, point) for model in (given.published, given.default))
        slopes = _slopes(given.published, point)
        for name in (*SHARES, "B_K", "Kplus", "KL"):
            value = float(published[name])
            spread = sum(abs(float(slopes[name][key])) * rounding(key, float(point[key])) for key in point)
            detail = f"The digits of Table I leave +- {spread / value:.1%}; the default model has {default[name]:.3g}."
            if name == "B_K":
                detail += f" B0 -> K*0: {published['B_Kstar']:.3g}."
            found[f"{name}_{label}"] = Computed(value, detail)
    return found


def rounding(parameter: str, value: float) -> float:
    """Half of the last digit that Table I prints: two digits, masses in whole MeV."""
    if parameter == "Lambda" or value == 0.0:
        return 0.0
    if parameter.startswith("m_"):
        return 0.5e-3
    return 0.5 * 10.0 ** (np.floor(np.log10(abs(value))) - 1.0)


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
    numbers = {name: _observables(given.published, point) for name, point in given.points.items()}

    def extreme(rate: str, share: str, choose: Callable[..., str] = max) -> Computed:
        products = {name: float(found[rate] * found[share]) for name, found in numbers.items()}
        where = choose(products, key=products.__getitem__)
        return Computed(products[where], f"At {where}.")

    pulls = {name: moment_pull(given, name) for name, point in given.points.items() if float(point["kappa"]) > 0.0}
    worst = max(pulls, key=pulls.__getitem__)
    moments = ", ".join(
        f"{1e9 * float(given.published.lepton_moment(given.points[name], 'muon')):.2f}" for name in pulls
    )
    return {
        "koto_low": extreme("KL", "neutrinos", min),
        "koto_high": extreme("KL", "neutrinos"),
        "delta_a_mu_pull": Computed(pulls[worst], f"At {worst}; Delta a_mu = {moments} e-9 at the points in order."),
        "KL_pi0_ee": extreme("KL", "electrons"),
        "KL_pi0_gg": extreme("KL", "photons"),
        "KS_pi0_gg": extreme("KS", "photons"),
        "Kplus_piplus_gg": extreme("Kplus", "photons"),
        "Kplus_piplus_nunu": extreme("Kplus", "neutrinos"),
        "B_K_gg": extreme("B_Kstar", "photons"),
        "B_Kstar_ee": extreme("B_Kstar", "electrons"),
        "B_K_nunu": extreme("B_K", "neutrinos"),
        "B_Kstar_nunu": extreme("B_Kstar", "neutrinos"),
        "B_K_gg_signal": extreme("B_K", "photons"),
        "K_pi_gg_signal": extreme("Kplus", "photons"),
    }


def moment_pull(given: Benchmarks, name: str) -> float:
    """Distance of a point's Delta a_mu from equation 5, standard deviations."""
    measured = load_lepton_moment("muon", "papers")
    return abs(float(measured.pulls(measured.predict(given.published, given.points[name], {}), {})[0]))


def lengths(given: Benchmarks) -> dict[str, Computed]:
    """c tau of S and nu_4, mm, the longest of the points."""

    def longest(width: Callable[[DarkScalar, Point], jax.Array]) -> Computed:
        found = {name: 1e3 * HBAR_C_M / float(width(given.published, point)) for name, point in given.points.items()}
        where = max(found, key=found.__getitem__)
        corrected = 1e3 * HBAR_C_M / float(width(given.default, given.points[where]))
        return Computed(found[where], f"At {where}; {corrected:.2g} mm in the default model.")

    return {
        "length_S": longest(lambda model, point: model.scalar_widths(point).total),
        "length_nu4": longest(lambda model, point: model.nu4_decay_width(point)),
    }


def masses_and_moments(given: Benchmarks) -> dict[str, Computed]:
    """Ranges of the masses (MeV), and what makes the muon's moment."""
    ends = {}
    for symbol in ("S", "nu4"):
        masses = {name: 1e3 * float(point[f"m_{symbol}"]) for name, point in given.points.items()}
        for words, choose in (("lightest", min), ("heaviest", max)):
            where = choose(masses, key=masses.__getitem__)
            ends[f"{words}_{symbol}"] = Computed(masses[where], f"At {where}.")
    shares, pulls = {}, {}
    for name, point in given.points.items():
        one_loop, two_photons = (float(part) for part in given.published.lepton_moment_by_diagram(point, "muon"))
        if float(point["kappa"]) > 0.0:
            shares[name] = two_photons / (one_loop + two_photons)
        else:
            pulls[name] = moment_pull(given, name)
    return {
        **ends,
        "two_photon_share": Computed(min(shares.values()), ", ".join(f"{share:.3f}" for share in shares.values())),
        "delta_a_mu_unsolved": Computed(min(pulls.values())),
    }
