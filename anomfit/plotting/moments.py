"""Delta a_mu against the mixing of doublet and singlet, in the manner of Figure 4 of arXiv:2006.01948."""

import textwrap
from collections.abc import Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from anomfit.measurements.lepton_moments import load_lepton_moment
from anomfit.models.two_higgs_doublet import TwoHiggsDoublet
from anomfit.plotting.style import CURVES, INK, SIGNAL

SCALE = 1e9
LEGEND_WIDTH = 44
SINES = np.linspace(0.0, 1.0, 201)
BANDS = {"papers": "#f3d77a", "bnl-wp2020": "#f3d77a", "wp2025": "#a9cfc0"}


def moments_by_mixing(
    model: TwoHiggsDoublet, point: Mapping[str, float], sines: Float[np.ndarray, "n"] = SINES, lepton: str = "muon"
) -> Float[np.ndarray, "n 2"]:
    """Contributions of (H, h') to Delta a_l at a physical point with these values of sin delta in place of its own."""
    fixed = {name: jnp.asarray(float(value)) for name, value in point.items()}
    return np.asarray(_moments(fixed, jnp.asarray(sines), model, lepton))


@partial(jax.jit, static_argnames=("model", "lepton"))
def _moments(point, sines, model: TwoHiggsDoublet, lepton: str):
    return jax.vmap(lambda sine: model.lepton_moment_by_scalar({**point, "sin_delta": sine}, lepton))(sines)


def plot_muon_moment(
    model: TwoHiggsDoublet,
    point: Mapping[str, float],
    ax: Axes,
    variations: Mapping[str, Mapping[str, float]] | None = None,
    eras: Sequence[str] = ("papers", "wp2025"),
) -> Axes:
    """Draw Delta a_mu of the physical `point` against sin delta: H, h' and their sum, a star at the point itself.

    Each of `variations` (label: parameters that differ from the point) adds the sum as one more line; `eras` are the
    measurements shown as bands of one standard deviation, by the names that `g-2-muon` knows.
    """
    for i, era in enumerate(eras):
        _draw_era(ax, era, BANDS.get(era, CURVES[i % len(CURVES)]))
    contributions = SCALE * moments_by_mixing(model, point)
    ax.plot(SINES, contributions[:, 0], color=SIGNAL, ls="--", lw=1.0, label=r"$H$ alone")
    ax.plot(SINES, contributions[:, 1], color="#b2182b", ls=":", lw=1.3, label=r"$h'$ alone")
    ax.plot(SINES, contributions.sum(axis=1), color=INK, lw=1.6, label=r"$H + h'$, benchmark")
    for (label, changes), colour in zip((variations or {}).items(), CURVES * 4, strict=False):
        total = SCALE * moments_by_mixing(model, {**point, **changes}).sum(axis=1)
        ax.plot(SINES, total, color=colour, lw=1.0, label=label)
    star = SCALE * moments_by_mixing(model, point, np.array([point["sin_delta"]])).sum()
    ax.plot(
        [point["sin_delta"]], [star], "*", color="black", ms=11, mec="white", mew=0.6, zorder=6, label=_at(point, star)
    )
    ax.axhline(0.0, color=INK, lw=0.5)
    ax.set(xlim=(0.0, 1.0), xlabel=r"$\sin\delta$", ylabel=r"$\Delta a_\mu$ [$10^{-9}$]")
    return ax


def _draw_era(ax: Axes, era: str, colour: str) -> None:
    measured = load_lepton_moment("muon", era)
    value, below, above = (SCALE * float(x) for x in (measured.value, measured.sigma_minus, measured.sigma_plus))
    references = textwrap.fill(f"({', '.join(measured.references)})", LEGEND_WIDTH)
    label = rf"{measured.era}: {value:.3g} $\pm$ {0.5 * (below + above):.2g}" + "\n" + references
    ax.axhspan(value - below, value + above, color=colour, alpha=0.6, lw=0.0, label=label, zorder=0)
    ax.axhline(value, color=colour, lw=0.8, zorder=1)


def _at(point: Mapping[str, float], value: float) -> str:
    return rf"benchmark: $\sin\delta$ = {point['sin_delta']:g}, $\Delta a_\mu$ = {value:.2f}$\times 10^{{-9}}$"
