"""Where the pairs that MiniBooNE selects are born and where they decay, by radius."""

import numpy as np
from matplotlib.axes import Axes

from anomfit.measurements.miniboone_radius import Radial
from anomfit.plotting.style import PARTS, SIGNAL


def plot_births(births: Radial, ax: Axes) -> Axes:
    """Draw events a metre by the radius of birth, oil and earth stacked; the radius is logarithmic beyond 5 m."""
    _stacked(births, births.edges, ax)
    ax.set_xscale("symlog", linthresh=5.0)
    ticks = [tick for tick in (0, 2, 5, 10, 20, 50, 100, 200) if tick <= births.edges[-1]]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.set_xlim(0.0, births.edges[-1])
    ax.set_xlabel("radius of birth [m]")
    ax.set_ylabel("events / m")
    return ax


def plot_decays(decays: Radial, ax: Axes) -> Axes:
    """Draw events by the radius of decay cubed over that of the fiducial sphere: flat where decays are uniform."""
    cubed = (decays.edges / decays.edges[-1]) ** 3
    _stacked(decays, cubed, ax)
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel(f"(radius of decay / {decays.edges[-1]:g} m)$^3$")
    ax.set_ylabel("events / unit")
    return ax


def _stacked(radial: Radial, edges: np.ndarray, ax: Axes) -> None:
    width, floor = np.diff(edges), np.zeros(len(radial.oil))
    for name, part, colour in (
        ("born in the oil", radial.oil, PARTS[0]),
        ("born in the earth", radial.earth, PARTS[1]),
    ):
        top = floor + part
        ax.stairs(top / width, edges, baseline=floor / width, fill=True, color=colour, label=name)
        floor = top
    ax.stairs(floor / width, edges, color=SIGNAL, lw=1.2)
    ax.set_ylim(bottom=0.0)
    ax.legend()
