"""Kaons to a pion and something that is not seen, against its mass: KOTO's limits, and the gap of K+ at the pi0.

Every line comes from what the measurements and constraints themselves use.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import gamma

from anomfit.catalogue import shipped_constraints
from anomfit.constraints.lifetime_tables import NO_LIMIT, log_limit_at
from anomfit.constraints.mesons import LONG_LIFE
from anomfit.data import load_record
from anomfit.measurements.koto_sensitivity import events_per_rate, koto_sensitivity
from anomfit.models.dark_scalar import DarkScalar, as_published, dark_scalar
from anomfit.physics.meson_decays import GROSSMAN_NIR
from anomfit.plotting.figures import add_note
from anomfit.plotting.style import CURVES, INK, QUIET, SIGNAL

MEV_PER_GEV = 1e3
MASSES = np.linspace(0.0, 0.262, 525)
BLIND = (0.100, 0.165)  # GeV: what arXiv:2005.08920 takes to be hidden by K+ -> pi+ pi0
KOTO_ERAS = {"2015": QUIET, "2019": CURVES[0], "2020": CURVES[4], "2021": SIGNAL}
CHARGED = {
    "Kplus-piplus-e949": CURVES[1],
    "Kplus-piplus-na62-2018": CURVES[3],
    "Kplus-piplus-na62": SIGNAL,
    "Kplus-piplus-na62-pi0": CURVES[2],
}
POINT_NAMES = r"BP 1 to 6, arXiv:2005.08920"


class KaonPoint(NamedTuple):
    """A benchmark point: its name, m_S in GeV, and the invisible rates of K_L and K+."""

    name: str
    mass: float
    neutral: float
    charged: float


def kaon_points(model: DarkScalar) -> list[KaonPoint]:
    """Branching ratios of K -> pi S, S -> nu nubar at the model's named points."""
    return [KaonPoint(name, float(point["m_S"]), *_rates(model, point)) for name, point in model.points.items()]


def koto_limit(era: str, masses: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    """90 % CL limit on B(K_L -> pi0 X) by mass (GeV): the mean that makes no more candidates in 10 %, over the SES.

    The background is not deducted, as in the publications of 2020 and 2021.
    """
    observed = load_record("koto/eras").parts[era].values["observed"]
    most = gamma.ppf(0.90, observed + 1.0)
    events = np.asarray(events_per_rate(koto_sensitivity(era), jnp.asarray(masses)))
    return np.where(events > 0.0, most / np.where(events > 0.0, events, 1.0), np.nan)


def charged_limit(name: str, masses: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    """The limit on B(K+ -> pi+ X) of a constraint for an X that escapes; NaN where it says nothing."""
    table = {key: jnp.asarray(value) for key, value in _constraint(name).data.items()}
    logs = np.asarray(jax.vmap(lambda m: log_limit_at(table, m, LONG_LIFE))(jnp.asarray(masses)))
    return np.where(logs < NO_LIMIT - 1.0, np.exp(logs), np.nan)


def koto_figure() -> Figure:
    """The published limit of 2015, the same for every era, and what arXiv:2005.08920 needs."""
    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    plot_koto(figure.subplots()).legend(loc="upper left", ncols=2)
    note = (
        "Lines: Poisson limit on the candidates of an era over its events per unit branching ratio, which is the curve "
        "of 2015 times the ratio of the sensitivities to K_L -> pi0 nu nubar; no other curve is public. Stars: the "
        "limits at the pi0 mass that the publications state. Grey: 100 to 165 MeV."
    )
    add_note(figure, note, columns=1)
    return figure


def plot_koto(ax: Axes) -> Axes:
    """Draw KOTO's limits on K_L -> pi0 X against the mass of X, with the benchmark points."""
    _window(ax)
    eras = load_record("koto/eras").parts
    for era, colour in KOTO_ERAS.items():
        values = eras[era].values
        label = f"{era}: {values['observed']:.0f} on {values['background']:g} ({eras[era].references[0]})"
        ax.plot(MEV_PER_GEV * MASSES, koto_limit(era, MASSES), color=colour, lw=1.3, label=label)
        if "limit_at_pi0_mass" in values:
            ax.plot([135.0], [values["limit_at_pi0_mass"]], "*", color=colour, ms=11, mec="white", mew=0.6, zorder=6)
    published = load_record("koto/kl_pi0_X_2015")
    x, y = MEV_PER_GEV * published.columns["m_X_GeV"], published.columns["limit"]
    ax.plot(x, y, "s", color=QUIET, ms=4, label=f"published curve ({published.references[0]})")
    _points(ax, lambda found: found.neutral)
    ax.set_yscale("log")
    ax.set(xlim=(0.0, 262.0), ylim=(8e-10, 6e-8))
    ax.set_xlabel(r"$m_X$ [MeV]")
    ax.set_ylabel(r"$B(K_L\to\pi^0 X)$, $X$ not seen; 90 % CL limit")
    return ax


def gap_figure() -> Figure:
    """Limits on K+ -> pi+ X by mass, with the window at the pi0 that they leave."""
    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    plot_gap(figure.subplots()).legend(loc="upper left", ncols=2)
    note = (
        "Limits as the constraints use them, for an X that escapes. E949 and NA62 lose the region where K+ -> pi+ pi0 "
        "stands; NA62's search for pi0 -> invisible looks into it, less deeply. Grossman-Nir: what KOTO leaves of K+ "
        f"if K_L had the most that it may, {GROSSMAN_NIR:.2g} times as much."
    )
    add_note(figure, note, columns=1)
    return figure


def plot_gap(ax: Axes) -> Axes:
    """Draw the limits on B(K+ -> pi+ X, X not seen) against the mass of X, with the benchmark points."""
    _window(ax)
    for name, colour in CHARGED.items():
        about = _constraint(name).about
        label = f"{_experiment(name)} {about.era} ({about.references[0]})"
        ax.plot(MEV_PER_GEV * MASSES, charged_limit(name, MASSES), color=colour, lw=1.3, label=label)
    reference = load_record("koto/eras").parts["2021"].references[0]
    grossman_nir = koto_limit("2021", MASSES) / GROSSMAN_NIR
    label = f"KOTO 2021 and Grossman-Nir ({reference})"
    ax.plot(MEV_PER_GEV * MASSES, grossman_nir, color=INK, lw=1.0, ls="--", label=label)
    _points(ax, lambda found: found.charged)
    ax.set_yscale("log")
    ax.set(xlim=(0.0, 262.0), ylim=(2e-12, 1e-4))
    ax.set_xlabel(r"$m_X$ [MeV]")
    ax.set_ylabel(r"$B(K^+\to\pi^+ X)$, $X$ not seen; 90 % CL limit")
    return ax


def _window(ax: Axes) -> None:
    ax.axvspan(*(MEV_PER_GEV * m for m in BLIND), color="0.92", lw=0.0, zorder=0)
    ax.axvline(135.0, color=QUIET, lw=0.6, ls=":", zorder=0)


def _points(ax: Axes, rate) -> None:
    """The six points, as published and in the default model, numbered."""
    for model, face, words in ((as_published, "white", "as published"), (dark_scalar, "black", "default model")):
        found = kaon_points(model)
        x, y = [MEV_PER_GEV * p.mass for p in found], [rate(p) for p in found]
        ax.plot(x, y, "o", ms=8, mfc=face, mec="black", mew=0.7, lw=0.0, label=f"{POINT_NAMES}, {words}", zorder=7)
        ink = {"color": "black" if face == "white" else "white", "fontsize": 6, "ha": "center", "va": "center_baseline"}
        for p in found:
            ax.annotate(p.name.removeprefix("bp"), (MEV_PER_GEV * p.mass, rate(p)), zorder=8, **ink)


def _rates(model: DarkScalar, point: Mapping[str, float]) -> Iterator[float]:
    arrays = {name: jnp.asarray(float(value)) for name, value in point.items()}
    (boson,) = model.light_bosons(arrays)
    unseen = boson.branching_ratio("invisible")[0]
    for mode in ("K_L -> pi0", "K+ -> pi+"):
        yield float(model.meson_branching_ratios(arrays, mode)[0][0] * unseen)


def _constraint(name: str):
    return next(entry for entry in shipped_constraints() if entry.name == name)


def _experiment(name: str) -> str:
    words = {"e949": "E949", "na62": "NA62", "pi0": r"at the $\pi^0$", "2018": ""}
    return " ".join(words[part] for part in name.removeprefix("Kplus-piplus-").split("-")).strip()
