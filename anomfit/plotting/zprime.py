"""Figures 4 to 9 of arXiv:2006.01948: magnetic moments, couplings of Z', elastic and deep scattering, Yukawas.

Lines of limits come from the constraints themselves, at the couplings where their ratio is 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomfit.beams.booster import miniboone_beam
from anomfit.constraints import gauged_charges, lepton_colliders
from anomfit.constraints.base import Constraint
from anomfit.constraints.deep_inelastic import PICOBARN, added
from anomfit.constraints.elastic_nucleons import flux_averaged, standard_model_in_bins
from anomfit.data import load_record
from anomfit.measurements.lepton_moments import load_lepton_moment
from anomfit.models.zprime_two_higgs_doublet import (
    ZprimeTwoHiggsDoublet,
    zprime_baryon,
    zprime_two_higgs_doublet,
)
from anomfit.parameters import Point
from anomfit.physics import scalar_decays
from anomfit.physics.constants import M_E, M_MU
from anomfit.physics.light_bosons import LightBosons
from anomfit.plotting.figures import add_note
from anomfit.plotting.style import CURVES, INK, QUIET, SIGNAL

POINT = "table-I"
BAND = "#f3d77a"
HPRIME = "#b2182b"
LINEAR = 300.0  # GeV: below it the cross section is in proportion to the energy
STAR = {"marker": "*", "color": "black", "ms": 12, "mec": "white", "mew": 0.6, "zorder": 6, "ls": "none"}


@dataclass(frozen=True)
class VectorAlone:
    """The Z' of a model without its scalars, which the searches for Z' would find as well."""

    of: ZprimeTwoHiggsDoublet
    name: str = "vector"

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """Those of the model."""
        return self.of.points

    def light_bosons(self, point: Point) -> tuple[LightBosons, ...]:
        """Z'."""
        return (self.of.light_bosons(point)[1],)


def _benchmark(model: ZprimeTwoHiggsDoublet | VectorAlone = zprime_two_higgs_doublet) -> dict[str, jax.Array]:
    return {name: jnp.asarray(float(value)) for name, value in model.points[POINT].items()}


# -- figures 4 and 5 --------------------------------------------------------------------------------------------------


def moments_over(lepton: str, changes: Mapping[str, Float[np.ndarray, "n"]]) -> Float[np.ndarray, "n 2"]:
    """Delta a_l of (H, h') at Table I with these parameters in place of its own."""
    fixed = _benchmark()
    arrays = {name: jnp.asarray(values) for name, values in changes.items()}

    def at(varied: Point):
        return zprime_two_higgs_doublet.lepton_moment_by_scalar({**fixed, **varied}, lepton)

    return np.asarray(jax.jit(jax.vmap(at))(arrays))


def muon_figure() -> Figure:
    """Figure 4: Delta a_mu against the mixing angle, H, h' and their sum."""
    figure = Figure(figsize=(6.4, 5.0), layout="constrained")
    ax = figure.subplots()
    angle = np.linspace(0.0, 0.5 * np.pi, 241)
    found = 1e9 * moments_over("muon", {"sin_delta": np.clip(np.sin(angle), 1e-6, 1.0 - 1e-12)})
    point = zprime_two_higgs_doublet.points[POINT]
    total = 1e9 * float(np.sum(moments_over("muon", {"sin_delta": np.array([point["sin_delta"]])})))
    _band(ax, "muon", "bnl-wp2020", 1e9)
    _three(ax, angle, found)
    label = f"Table I: {total:.2f} (printed: 2.74)"
    ax.plot([np.arcsin(point["sin_delta"])], [total], label=label, **STAR)
    ax.set(xlim=(0.0, 0.5 * np.pi), ylim=(0.0, 8.0), xlabel=r"$\delta$", ylabel=r"$\Delta a_\mu$ [$10^{-9}$]")
    ax.legend(loc="upper left")
    add_note(figure, "One-loop moments of H and h' with y_mu = 6.3e-4, masses of Table I; equation 33.", columns=1)
    return figure


def electron_figure() -> Figure:
    """Figure 5: Delta a_e against |y^{e tau} y^{tau e}|, H, h' and their sum."""
    figure = Figure(figsize=(6.4, 5.0), layout="constrained")
    ax = figure.subplots()
    product = np.linspace(0.0, 1e-6, 201)
    printed = 5.6e-7

    def moments(values):
        root = np.sqrt(values)
        return 1e13 * moments_over("electron", {"y_etau": root, "y_taue": -root})

    star = float(np.sum(moments(np.array([printed]))))
    _band(ax, "electron", "cs2018-harvard2008", 1e13)
    _three(ax, product, moments(product))
    ax.plot([printed], [star], label=f"Table I: {star:.2f} (printed: -8.7)", **STAR)
    ax.axhline(0.0, color=INK, lw=0.5)
    ax.set(xlim=(0.0, 1e-6), xlabel=r"$|y^{e\tau}y^{\tau e}|$", ylabel=r"$\Delta a_e$ [$10^{-13}$]")
    ax.legend(loc="lower left")
    add_note(figure, "One-loop moments with e and tau in the loop, their product negative; equation 34.", columns=1)
    return figure


def _band(ax: Axes, lepton: str, era: str, scale: float) -> None:
    measured = load_lepton_moment(lepton, era)
    value, below, above = (scale * float(x) for x in (measured.value, measured.sigma_minus, measured.sigma_plus))
    label = rf"{measured.era}: {value:.3g} $\pm$ {0.5 * (below + above):.2g}"
    ax.axhspan(value - below, value + above, color=BAND, alpha=0.6, lw=0.0, label=label)


def _three(ax: Axes, x: Float[np.ndarray, "n"], found: Float[np.ndarray, "n 2"]) -> None:
    ax.plot(x, found[:, 0], color=SIGNAL, ls="--", lw=1.1, label=r"$H$")
    ax.plot(x, found[:, 1], color=HPRIME, ls=":", lw=1.4, label=r"$h'$")
    ax.plot(x, found.sum(axis=1), color=CURVES[1], lw=1.6, label=r"$H + h'$")


# -- figure 6 ---------------------------------------------------------------------------------------------------------


def coupling_limit(
    model: ZprimeTwoHiggsDoublet | VectorAlone, row: Constraint, masses: Float[np.ndarray, "n"]
) -> Float[np.ndarray, "n"]:
    """g at which a row's ratio is 1, by the mass of Z', all else as at Table I; NaN where it says nothing."""
    fixed = _benchmark(model)

    def at(mass, g):
        found = row.outcome(model, {**fixed, "m_Zprime": mass, "g_B": g}, {})
        return found.ratio, found.limit

    ratio, limit = (np.asarray(x) for x in jax.jit(jax.vmap(lambda m: at(m, fixed["g_B"])))(jnp.asarray(masses)))
    power = 1.0 if row.about.kind == "curve" else 2.0  # a coupling, or a rate
    says = np.isfinite(limit) & (ratio > 1e-20)
    return np.where(says, float(fixed["g_B"]) * np.where(says, ratio, 1.0) ** (-1.0 / power), np.nan)


def coupling_figure() -> Figure:
    """Figure 6: limits on g of B - 3 L_tau and of B against the mass of Z', with the benchmark."""
    figure = Figure(figsize=(10.0, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    masses = np.geomspace(0.02, 4.0, 160)
    charged = {entry.name: entry for entry in gauged_charges.constraints()}
    _coupling_line(
        left, zprime_two_higgs_doublet, charged["oscillation-matter"], masses, SIGNAL, "oscillations in matter"
    )
    lines = (
        ("anomalous-K-pi", r"$K\to\pi Z'$, anomaly", CURVES[2]),
        ("anomalous-B-K", r"$B\to K Z'$, anomaly", CURVES[1]),
        ("z-photon-invisible", r"$Z\to\gamma Z'$, anomaly (recalled)", CURVES[3]),
    )
    for name, label, colour in lines:
        _coupling_line(right, zprime_baryon, charged[name], masses, colour, label)
    for name, label, colour in (
        ("babar-invisible", r"BaBar, $e^+e^-\to\gamma Z'$", CURVES[0]),
        ("na64-invisible", "NA64, invisible", CURVES[4]),
    ):
        _coupling_line(right, VectorAlone(zprime_baryon), _row(name), masses, colour, label)
    point = zprime_two_higgs_doublet.points[POINT]
    titles = (r"$U(1)_{B-3L_\tau}$", r"$U(1)_B$")
    symbols = (r"$g_{B-3L_\tau}$", r"$g_B$")
    for ax, title, symbol in zip((left, right), titles, symbols, strict=True):
        ax.plot([point["m_Zprime"]], [point["g_B"]], label="Table I: 800 MeV, 3e-4", **STAR)
        ax.set(xscale="log", yscale="log", xlim=(0.02, 4.0), ylim=(1e-6, 1.0), title=title)
        ax.set(xlabel=r"$m_{Z'}$ [GeV]", ylabel=symbol)
        ax.legend(loc="upper left")
    note = (
        "Left: non-standard interactions of atmospheric nu_tau against nu_mu (arXiv:hep-ph/0108043); the curve "
        "of arXiv:1910.03272 that the paper draws is not public as numbers. Right: anomalous decays for heavy fermions "
        "that keep the weak symmetry; BaBar and NA64 see Z' through kinetic mixing by loops. What is above a line "
        "is excluded at 90 % CL; other parameters as in Table I."
    )
    add_note(figure, note, columns=2)
    return figure


def _row(name: str) -> Constraint:
    from anomfit.catalogue import shipped_constraints

    return next(entry for entry in shipped_constraints() if entry.name == name)


def _coupling_line(ax: Axes, model, row: Constraint, masses, colour: str, label: str) -> None:
    limit = coupling_limit(model, row, masses)
    ax.plot(masses, limit, color=colour, lw=1.3, label=label)
    ax.fill_between(masses, limit, 1.0, color=colour, alpha=0.12, lw=0.0)


# -- figures 7 and 8 --------------------------------------------------------------------------------------------------


def elastic_figure() -> Figure:
    """Figure 7: d sigma/dQ^2 of neutral currents on protons for antineutrinos, and on the nucleons of oil with data."""
    figure = Figure(figsize=(10.0, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    table = load_record("accelerators/numu_nc_elastic")
    axial = table.values["axial_mass"]
    edges = np.linspace(0.10, 1.65, 63)
    centres = 0.5 * (edges[1:] + edges[:-1])
    exchange = zprime_two_higgs_doublet.exchange(_benchmark(), {})
    anti = miniboone_beam("numu-only", "antineutrino")
    proton = replace(anti, composition=tuple(_alone(t) for t in anti.composition if t.name == "proton"))
    _elastic(left, proton, edges, centres, exchange, axial, "antineutrino")
    left.set_title(r"$\bar\nu_\mu p \to \bar\nu p$, antineutrino mode, free protons")
    beam = miniboone_beam("numu-only", "neutrino")
    columns = table.columns
    place = 0.5 * (columns["Q2_lo_GeV2"] + columns["Q2_hi_GeV2"])
    measured, error = (1e39 * columns[name] for name in ("d_sigma_dQ2_cm2_GeV2", "error_cm2_GeV2"))
    right.errorbar(place, measured, error, fmt="o", color="black", ms=3, lw=0.8, label="MiniBooNE, arXiv:1007.4730")
    _elastic(right, beam, edges, centres, exchange, axial, "neutrino")
    right.set_title(r"$\nu_\mu N \to \nu N$, neutrino mode, nucleons of CH$_2$")
    note = (
        f"Standard Model: axial mass {axial:g} GeV, Pauli blocking in carbon (right). Z' at Table I makes nu_4, which "
        "nobody sees. The paper: Z' adds 10 to 25 % to the antineutrino cross section over the range that it shows."
    )
    add_note(figure, note, columns=2)
    return figure


def _alone(target):
    return replace(target, count=1.0, bound=())


def _elastic(ax: Axes, beam, edges, centres, exchange, axial: float, incoming: str) -> None:
    standard = 1e39 * standard_model_in_bins(beam, edges, axial, incoming)
    new = 1e39 * np.asarray(jax.jit(lambda q: flux_averaged(exchange, beam, q))(jnp.asarray(centres)))
    share = 100.0 * new / standard
    ax.plot(centres, standard, color=INK, lw=1.5, label="Standard Model")
    label = rf"$Z'$: {share.min():.2g} to {share.max():.2g} % of it"
    ax.plot(centres, new, color=HPRIME, lw=1.5, ls="--", label=label)
    ax.set(yscale="log", xlim=(0.1, 1.65), xlabel=r"$Q^2$ [GeV$^2$]")
    ax.set_ylabel(r"$d\sigma/dQ^2$ [$10^{-39}$ cm$^2$/GeV$^2$]")
    ax.legend(loc="upper right")


def deep_figure() -> Figure:
    """Figure 8: neutral currents at high energies, the Standard Model and nu_4 off quarks by Z'."""
    figure = Figure(figsize=(6.4, 5.0), layout="constrained")
    ax = figure.subplots()
    energy = np.geomspace(20.0, 1e8, 60)
    point = _benchmark()
    new = np.asarray(jax.jit(jax.vmap(lambda e: added(zprime_two_higgs_doublet, point, {}, e)))(jnp.asarray(energy)))
    table = load_record("accelerators/neutrino_dis").columns
    standard = PICOBARN * table["nu_nc_pb"]
    at = np.interp(np.log(table["E_GeV"]), np.log(energy), np.log(new))
    least = float(np.min(standard / np.exp(at)))
    ax.plot(table["E_GeV"], standard, "o-", color=INK, ms=3, lw=1.2, label="Standard Model, arXiv:1106.3723")
    measured = load_record("accelerators/neutrino_dis").parts["cdhs"].values["slope"]
    low = energy[energy < LINEAR]
    ax.plot(
        low, measured * low, color=INK, lw=1.2, ls=":", label=r"$R_\nu$ (CDHS) times $0.677\times10^{-38}$ cm$^2$/GeV"
    )
    ax.plot(energy, new, color=HPRIME, lw=1.5, ls="--", label=r"$\nu_\mu N\to\nu_4 X$ by $Z'$, Table I")
    ax.set(xscale="log", yscale="log", xlabel=r"$E_\nu$ [GeV]", ylabel=r"$\sigma$ [cm$^2$ per nucleon]")
    ax.legend(
        loc="upper left", title=f"above 10 TeV a factor of {least:.1e} and more\n(printed: more than three orders)"
    )
    note = (
        "Quarks one by one, structure function ALLM97, hadrons above 1.3 GeV; F_L and the mass of nu_4 are left out. "
        "The Standard Model is tabulated from 10 TeV on."
    )
    add_note(figure, note, columns=1)
    return figure


# -- figure 9 ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LeptonScalar:
    """A scalar that couples to electrons, or to muons, and to nothing else."""

    lepton: str
    name: str = "scalar"

    def light_bosons(self, point: Point) -> tuple[LightBosons, ...]:
        """The scalar with its coupling y and its width to the lepton's pairs."""
        mass, y = point["m"], point["y"]
        if self.lepton == "electron":
            width = scalar_decays.width_to_fermions(mass, y, M_E)
            return (LightBosons.of("scalar", mass, g_e=y, to_electrons=width),)
        return (LightBosons.of("scalar", mass, g_mu=y, to_muons=scalar_decays.width_to_fermions(mass, y, M_MU)),)


def exclusion(
    lepton: str, row: Constraint, masses: Float[np.ndarray, "m"], couplings: Float[np.ndarray, "y"]
) -> Float[np.ndarray, "y m"]:
    """log10 of a row's ratio for a scalar that couples to one lepton; NaN where the row says nothing."""
    model = LeptonScalar(lepton)

    def at(mass, y):
        found = row.outcome(model, {"m": mass, "y": y}, {})
        says = ~jnp.isnan(found.limit)
        return jnp.where(says, jnp.log10(jnp.maximum(found.ratio, 1e-12)), jnp.nan)

    m, y = np.meshgrid(masses, couplings)
    flat = jax.jit(lambda a, b: jax.lax.map(lambda x: at(*x), (a, b), batch_size=64))(jnp.ravel(m), jnp.ravel(y))
    return np.asarray(flat).reshape(m.shape)


ELECTRON_ROWS: Mapping[str, tuple[str, str, str]] = {
    "kloe-electrons": ("KLOE", CURVES[0], "-"),
    "babar-visible": ("BaBar", CURVES[1], "-"),
    "e137": ("E137", CURVES[2], "-"),
    "e141": ("E141", CURVES[3], "-"),
    "orsay": ("Orsay", CURVES[4], "-"),
    "belle2-visible": ("Belle II, projected", SIGNAL, "--"),
    "hps-displaced": ("HPS, displaced, projected", QUIET, "--"),
}


def yukawa_figure() -> Figure:
    """Figure 9: limits on the couplings of a scalar to electrons and to muons against its mass, with h' and H."""
    figure = Figure(figsize=(10.0, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    couplings = np.geomspace(1e-8, 1e-2, 90)
    masses = np.geomspace(0.002, 1.0, 90)
    for name, (label, colour, line) in ELECTRON_ROWS.items():
        _contour(left, exclusion("electron", _row(name), masses, couplings), masses, couplings, label, colour, line)
    heavy = np.geomspace(0.2, 4.0, 120)
    muonic = {entry.name: entry for entry in lepton_colliders.constraints()}["babar-muons"]
    strong = np.geomspace(1e-5, 1e-1, 90)
    found = exclusion("muon", muonic, heavy, strong)
    _contour(right, found, heavy, strong, r"BaBar, $\mu^+\mu^-\phi$, $\phi\to\mu^+\mu^-$", CURVES[1], "-")
    scalars = zprime_two_higgs_doublet.light_bosons(_benchmark())[0]
    for ax, numbers, symbol in ((left, scalars.g_e, "e"), (right, scalars.g_mu, r"\mu")):
        for i, (state, colour) in enumerate((("H", SIGNAL), ("h'", HPRIME))):
            style = {**STAR, "color": colour}
            label = rf"${state}$, Table I: {float(numbers[i]):.2g}"
            ax.plot([float(scalars.mass[i])], [abs(float(numbers[i]))], label=label, **style)
        ax.set(xscale="log", yscale="log", xlabel=r"$m_\phi$ [GeV]", ylabel=rf"$y_{symbol}$")
        ax.legend(loc="lower left" if symbol == "e" else "lower right", ncols=2 if symbol == "e" else 1)
    left.set(xlim=(0.002, 1.0), ylim=(1e-10, 1e-2))
    right.set(xlim=(0.01, 4.0), ylim=(1e-5, 1e-1))
    note = (
        "Left: a scalar that couples to electrons alone, at every point with its own lifetime; lines enclose what is "
        "excluded at 90 % CL, dashed ones are projections. Right: it couples to muons alone; below two muons it does "
        "not decay, and no search applies. Belle II's projection on y_mu is not public as numbers. Printed in Table I: "
        "y_e = 0.45e-4 (h'), 1.5e-4 (H); y_mu = 1.8e-4, 6.0e-4."
    )
    add_note(figure, note, columns=2)
    return figure


def _contour(ax: Axes, found, masses, couplings, label: str, colour: str, line: str) -> None:
    shown = np.nan_to_num(found, nan=-12.0)
    if np.max(shown) <= 0.0:
        return
    ax.contour(masses, couplings, shown, levels=[0.0], colors=[colour], linewidths=1.2, linestyles=[line])
    if line == "-":
        ax.contourf(masses, couplings, shown, levels=[0.0, 99.0], colors=[colour], alpha=0.15)
    ax.plot([], [], color=colour, ls=line, lw=1.2, label=label)


FIGURES: Mapping[str, Callable[[], Figure]] = {
    "figure-4-2006.01948": muon_figure,
    "figure-5-2006.01948": electron_figure,
    "figure-6-2006.01948": coupling_figure,
    "figure-7-2006.01948": elastic_figure,
    "figure-8-2006.01948": deep_figure,
    "figure-9-2006.01948": yukawa_figure,
}
"""Name of the file, and what draws it."""
