"""Colours, sizes and words that the figures share; applied to the figures made here only, never globally."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any

import matplotlib.style

INK, QUIET = "0.1", "0.45"
DATA, SIGNAL, BAND = "black", "#0b4f9c", "#8d7ac2"
PARTS = ("#9cc4e8", "#d3e5f5", "#7fb3a8", "#cfe3b4")  # components of a signal, light enough for lines above them
CURVES = ("#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe and Ito, told apart by the colour-blind
BACKGROUNDS: Mapping[str, str] = MappingProxyType(
    {
        "background": "0.86",
        r"intrinsic $\nu_e$": "#b7d7b0",
        r"NC $\pi^0$": "#e9b1a6",
        r"NC $\Delta\to N\gamma$": "#ecd9a9",
        "dirt": "#c9b299",
        r"other ($\nu_\mu$ CC, ...)": "0.78",
        "beam off": "0.86",
        r"intrinsic $\bar\nu_e$": "#b7d7b0",
        r"other $\nu$": "#ecd9a9",
    }
)
MINIBOONE_BACKGROUNDS: Mapping[str, str] = MappingProxyType(
    {
        "bkg_other": r"other ($\nu_\mu$ CC, ...)",
        "bkg_dirt": "dirt",
        "bkg_delta": r"NC $\Delta\to N\gamma$",
        "bkg_pi0": r"NC $\pi^0$",
        "bkg_nue": r"intrinsic $\nu_e$",
    }
)
"""Labels of its backgrounds, by the columns of their tables."""

_STYLE: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.labelsize": 10.0,
    "axes.titlesize": 10.0,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "axes.linewidth": 0.8,
    "mathtext.fontset": "cm",
    "hatch.linewidth": 0.6,
    "savefig.dpi": 200,
}

_WORDS = {  # plain text of measurements and models as it stands in a figure
    "E_nu^QE": r"$E_\nu^{\rm QE}$",
    "E_vis": r"$E_{\rm vis}$",
    "cos(theta)": r"$\cos\theta$",
    "cos theta": r"$\cos\theta$",
    "Delta a_mu": r"$\Delta a_\mu$",
    "Delta a_e": r"$\Delta a_e$",
    "R_gamma": r"$R_\gamma$",
    "nu_mu": r"$\nu_\mu$",
    "nu_e": r"$\nu_e$",
    "+-": r"$\pm$",
}


def styled() -> AbstractContextManager[None]:
    """A context in which new figures get the look of this package, whatever the user's own settings of matplotlib are
    (text.usetex without LaTeX, say); those come back after it."""
    return matplotlib.style.context(["default", _STYLE])


def typeset(text: str) -> str:
    """Plain text with the physics symbols in it as mathematics; what stands between dollar signs stays as it is."""
    parts = text.split("$")
    return "$".join(part if i % 2 else _typeset_plain(part) for i, part in enumerate(parts))


def _typeset_plain(text: str) -> str:
    for plain, written in _WORDS.items():
        text = text.replace(plain, written)
    return re.sub(r"(\d+(?:\.\d+)?)e(-?\d+)", r"$\1\\times 10^{\2}$", text)


def mathematics(symbol: str) -> str:
    """A symbol as mathematics, whether its owner wrote the dollar signs or not."""
    return symbol if "$" in symbol else f"${symbol}$"


def axis_label(symbol: str, unit: str) -> str:
    """A symbol with its unit in brackets; none for pure numbers ("1") and pulls ("sigma")."""
    return symbol if unit in ("1", "", "sigma") else f"{symbol} [{_UNITS.get(unit, unit)}]"


_UNITS = {"TeV^-1": r"TeV$^{-1}$", "eV^2": r"eV$^2$", "GeV^2": r"GeV$^2$"}
