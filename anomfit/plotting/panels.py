"""A panel: counts in the bins of one histogram with everything that is drawn over them. Numbers only, no drawing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2

from anomfit.measurements.base import Bin
from anomfit.plotting.style import BAND

LEVELS = (0.6827, 0.9545)  # probabilities of the posterior's bands
OPACITIES = (0.22, 0.45)  # of the wider band and of the narrower one, which lies on it
MEV_PER_GEV = 1e3
MOST = 6  # panels of one measurement; with more (a plane cut into many rows) its bins stand in one row, numbered
WIDE = 3.0  # a last bin this many times wider than the one before it is drawn compressed


@dataclass(frozen=True)
class Curve:
    """A reference prediction, signal alone, in events a bin; its label names its source."""

    label: str
    signal: Float[np.ndarray, "bins"]
    line: str = "--"
    colour: str = "black"


@dataclass(frozen=True)
class SignalBand:
    """A range of signals, events a bin."""

    label: str
    low: Float[np.ndarray, "bins"]
    high: Float[np.ndarray, "bins"]
    opacity: float = 0.35
    colour: str = BAND


@dataclass(frozen=True)
class Panel:
    """Adjacent bins of one quantity; everything in events a bin. `backgrounds` and `signal` are stacked in this order.

    `background_error` is one standard deviation of the expected background, without the Poisson error of the counts.
    Numbers that are no counts (unfolded, an excess) carry `stated_error` in place of the Poisson one; data that are not
    public are NaN. `tick_labels` name the bins where an edge is infinite, and `edges` then only count them.
    """

    title: str
    quantity: str
    unit: str
    edges: Float[np.ndarray, "bins+1"]
    data: Float[np.ndarray, "bins"]
    backgrounds: Mapping[str, Float[np.ndarray, "bins"]]
    background_error: Float[np.ndarray, "bins"]
    signal: Mapping[str, Float[np.ndarray, "bins"]] = field(default_factory=dict)
    signal_label: str = "best fit"
    bands: tuple[SignalBand, ...] = ()
    curves: tuple[Curve, ...] = ()
    stated_error: Float[np.ndarray, "bins"] | None = None
    tick_labels: tuple[str, ...] = ()

    @property
    def has_data(self) -> bool:
        """Whether there is anything public to compare with."""
        return bool(np.all(np.isfinite(self.data)))

    @property
    def data_errors(self) -> Float[np.ndarray, "2 bins"]:
        """Lengths of the data's error bars below and above."""
        return poisson_errors(self.data) if self.stated_error is None else np.stack([self.stated_error] * 2)

    @property
    def data_label(self) -> str:
        """What the points are, for a legend."""
        return "data, Poisson errors" if self.stated_error is None else "data (no counts), stated errors"

    @property
    def background(self) -> Float[np.ndarray, "bins"]:
        """The sum of the backgrounds."""
        return sum(self.backgrounds.values(), np.zeros_like(self.data))

    @property
    def total_signal(self) -> Float[np.ndarray, "bins"]:
        """The sum of the signal's components."""
        return sum(self.signal.values(), np.zeros_like(self.data))

    @property
    def highest_signal(self) -> Float[np.ndarray, "bins"]:
        """The largest of the signal, the curves and the bands in each bin."""
        drawn = [*(curve.signal for curve in self.curves), *(band.high for band in self.bands)]
        return np.max([self.total_signal, *drawn], axis=0)

    @property
    def per(self) -> Float[np.ndarray, "bins"]:
        """What counts are divided by: the width in MeV of an energy bin, 1 otherwise."""
        return MEV_PER_GEV * np.diff(self.edges) if self.unit == "GeV" else np.ones_like(self.data)

    @property
    def positions(self) -> Float[np.ndarray, "bins+1"]:
        """The edges as they are drawn: a very wide last bin ends nearer than it does."""
        widths = np.diff(self.edges)
        if len(widths) < 3 or widths[-1] < WIDE * widths[-2]:
            return self.edges
        return np.append(self.edges[:-1], self.edges[-2] + 1.2 * widths[-2])


def panels(
    bins: Sequence[Bin],
    signal: Mapping[str, Float[np.ndarray, "bins"]],
    draws: Float[np.ndarray, "draws bins"] | None = None,
    curves: Sequence[Curve] = (),
    signal_label: str = "best fit",
    bands: Sequence[SignalBand] = (),
) -> list[Panel]:
    """One panel for each run of adjacent bins with the same label; entries without edges (g-2) have none.

    A label reads "title, quantity" or "quantity". Where that would make more than `MOST` panels there is one, with the
    bins' numbers for its axis. A run that ends at infinity has its bins named in place of a scale.

    `signal` is by component, `draws` are total signals of posterior draws, which make the `bands` unless these are
    given; all over all `bins`, as is each curve.
    """
    if draws is not None:
        bands = tuple(_posterior_bands(np.asarray(draws)))
    runs = [run for run in _runs(bins) if not np.any(np.isnan([[bins[i].low, bins[i].high] for i in run]))]
    if len(runs) > MOST:
        whole = [i for run in runs for i in run]
        numbered = [
            entry._replace(label="bin number", low=i + 0.5, high=i + 1.5, unit="1") for i, entry in enumerate(bins)
        ]
        return [_panel(numbered, whole, signal, bands, curves, signal_label)]
    return [_panel(bins, run, signal, bands, curves, signal_label) for run in runs]


def poisson_errors(counts: Float[np.ndarray, "n"]) -> Float[np.ndarray, "2 n"]:
    """Lengths of the error bars below and above: the central 68.27 % interval of Garwood, Biometrika 28 (1936) 437."""
    tail = 0.5 * (1.0 - LEVELS[0])
    low = np.where(counts > 0.0, 0.5 * chi2.ppf(tail, 2.0 * np.maximum(counts, 1e-9)), 0.0)
    return np.stack([counts - low, 0.5 * chi2.isf(tail, 2.0 * counts + 2.0) - counts])


def _posterior_bands(draws: np.ndarray):
    for level, opacity in zip(reversed(LEVELS), OPACITIES, strict=True):
        low, high = np.quantile(draws, [0.5 - 0.5 * level, 0.5 + 0.5 * level], axis=0)
        yield SignalBand(f"posterior, {100 * level:.0f} %", low, high, opacity)


def _runs(bins: Sequence[Bin]) -> list[list[int]]:
    runs: list[list[int]] = []
    for i, entry in enumerate(bins):
        before = bins[runs[-1][-1]] if runs else None
        if before is not None and before.label == entry.label and np.isclose(before.high, entry.low):
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _panel(bins, run, signal, bands, curves, signal_label) -> Panel:
    chosen = [bins[i] for i in run]
    title, _, quantity = chosen[0].label.rpartition(", ")
    edges = np.array([b.low for b in chosen] + [chosen[-1].high])
    data = np.array([b.data for b in chosen])
    background, errors = (np.nan_to_num([getattr(b, name) for b in chosen]) for name in ("background", "error"))
    counted = bool(np.all(np.isnan(data) | (data == np.round(data))))
    named = bool(np.any(np.isinf(edges)))
    return Panel(
        title=title,
        quantity=quantity,
        unit=chosen[0].unit,
        edges=np.arange(len(edges), dtype=float) if named else edges,
        data=data,
        backgrounds={"background": background},
        background_error=np.sqrt(np.maximum(errors**2 - background, 0.0)) if counted else np.zeros_like(errors),
        stated_error=None if counted else errors,
        tick_labels=tuple(_range(b) for b in chosen) if named else (),
        signal={name: np.asarray(values)[run] for name, values in signal.items()},
        signal_label=signal_label,
        bands=tuple(replace(band, low=band.low[run], high=band.high[run]) for band in bands),
        curves=tuple(replace(curve, signal=np.asarray(curve.signal)[run]) for curve in curves),
    )


def _range(entry: Bin) -> str:
    return f"> {entry.low:g}" if np.isinf(entry.high) else f"{entry.low:g} to {entry.high:g}"
