"""Histograms of counts: data over stacked backgrounds and signal, and the excess over the background."""

import numpy as np
from matplotlib.axes import Axes

from anomfit.plotting.panels import Panel
from anomfit.plotting.style import BACKGROUNDS, CURVES, DATA, INK, PARTS, QUIET, SIGNAL, axis_label, typeset


def plot_spectrum(panel: Panel, ax: Axes) -> Axes:
    """Draw data with errors over the stacked backgrounds, the signal on top of them, bands and curves.

    Where no data are public the signal stands alone, and the panel says so.
    """
    if not panel.has_data:
        return _alone(panel, ax)
    background, edges = panel.background, panel.positions
    floor = np.zeros_like(background)
    for i, (name, part) in enumerate(panel.backgrounds.items()):
        colour = BACKGROUNDS.get(name, CURVES[i % len(CURVES)])
        floor = _stack(panel, ax, floor, part, colour, name)
    _signal(panel, ax, background)
    error = panel.background_error
    _fill(panel, ax, background - error, background + error, "error of the background", hatch="//////")
    ax.stairs(background / panel.per, edges, color=QUIET, lw=0.8)
    _lines(panel, ax, background)
    _points(panel, ax, panel.data)
    highest = np.maximum(panel.data + panel.data_errors[1], background + panel.highest_signal)
    ax.set_ylim(0.0, 1.08 * np.max(highest / panel.per))
    ax.set_ylabel("events / MeV" if panel.unit == "GeV" else "events")
    return _horizontal(panel, ax)


def plot_excess(panel: Panel, ax: Axes) -> Axes:
    """Draw data minus background with the signal: what `plot_spectrum` shows, the background taken off."""
    if not panel.has_data:
        return _alone(panel, ax)
    zero, error = np.zeros_like(panel.data), panel.background_error
    ax.axhline(0.0, color=QUIET, lw=0.8)
    _signal(panel, ax, zero)
    _fill(panel, ax, -error, error, "error of the background", hatch="//////")
    _lines(panel, ax, zero)
    _points(panel, ax, panel.data - panel.background)
    bars = panel.data_errors / panel.per
    points = (panel.data - panel.background) / panel.per
    lowest = np.min(np.minimum(points - bars[0], -error / panel.per))
    highest = np.max(np.maximum(points + bars[1], panel.highest_signal / panel.per))
    ax.set_ylim(lowest - 0.06 * (highest - lowest), highest + 0.08 * (highest - lowest))
    ax.set_ylabel("excess / MeV" if panel.unit == "GeV" else "excess events")
    return _horizontal(panel, ax)


def _alone(panel: Panel, ax: Axes) -> Axes:
    zero = np.zeros_like(panel.data)
    _signal(panel, ax, zero)
    _lines(panel, ax, zero)
    ax.set_ylim(0.0, 1.3 * np.max(panel.highest_signal / panel.per) or 1.0)
    ax.set_ylabel("signal / MeV" if panel.unit == "GeV" else "signal events")
    ax.text(0.03, 0.03, "no public data", transform=ax.transAxes, color=INK, fontsize="small")
    return _horizontal(panel, ax)


def _signal(panel: Panel, ax: Axes, floor: np.ndarray) -> None:
    base = floor
    for i, (name, part) in enumerate(panel.signal.items()):
        label = f"{panel.signal_label}, {name}" if len(panel.signal) > 1 else "_the line says it"
        base = _stack(panel, ax, base, part, PARTS[i % len(PARTS)], label)
    for band in panel.bands:
        _fill(panel, ax, floor + band.low, floor + band.high, band.label, color=band.colour, alpha=band.opacity)


def _lines(panel: Panel, ax: Axes, floor: np.ndarray) -> None:
    if panel.signal:
        total = (floor + panel.total_signal) / panel.per
        ax.stairs(total, panel.positions, color=SIGNAL, lw=1.4, label=typeset(panel.signal_label), baseline=None)
    for curve in panel.curves:
        style = {"color": curve.colour, "ls": curve.line, "lw": 1.1, "label": typeset(curve.label)}
        ax.stairs((floor + curve.signal) / panel.per, panel.positions, baseline=None, **style)


def _stack(panel: Panel, ax: Axes, floor, part, colour: str, label: str) -> np.ndarray:
    top = floor + part
    ax.stairs(
        top / panel.per, panel.positions, baseline=floor / panel.per, fill=True, color=colour, label=typeset(label)
    )
    return top


def _fill(panel: Panel, ax: Axes, low, high, label: str, hatch: str | None = None, **style) -> None:
    look = (
        {"fill": False, "hatch": hatch, "edgecolor": QUIET, "lw": 0.0} if hatch else {"fill": True, "lw": 0.0, **style}
    )
    ax.stairs(high / panel.per, panel.positions, baseline=low / panel.per, label=label, **look)


def _points(panel: Panel, ax: Axes, values: np.ndarray) -> None:
    edges, errors = panel.positions, panel.data_errors
    centres, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    shown = {"fmt": "o", "ms": 3.0, "lw": 0.9, "color": DATA, "zorder": 5, "label": panel.data_label}
    ax.errorbar(centres, values / panel.per, xerr=half, yerr=errors / panel.per, **shown)


def _horizontal(panel: Panel, ax: Axes) -> Axes:
    edges = panel.positions
    ax.set_xlim(edges[0], edges[-1])
    ax.set_xlabel(axis_label(typeset(panel.quantity), panel.unit))
    if panel.tick_labels:
        ax.set_xticks(0.5 * (edges[1:] + edges[:-1]), panel.tick_labels)
        ax.tick_params(axis="x", length=0)
        return ax
    if not np.array_equal(edges, panel.edges):  # the last bin ends where its label says, not where it is drawn
        spacing = ax.get_xticks()[1] - ax.get_xticks()[0]
        ticks = [tick for tick in ax.get_xticks() if edges[0] <= tick < edges[-2] - 0.7 * spacing]
        ax.set_xticks([*ticks, edges[-2], edges[-1]], [f"{x:g}" for x in [*ticks, edges[-2], panel.edges[-1]]])
        ax.axvline(edges[-2], color=INK, lw=0.6, ls=":")
    return ax
