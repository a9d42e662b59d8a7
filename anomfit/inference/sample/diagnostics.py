"""Convergence of Markov chains: rank-normalised split R-hat, effective sample sizes, and a verdict in words.

The only module that needs ArviZ, which is imported when it is called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anomfit.environment import import_arviz

MAX_R_HAT = 1.01
MIN_ESS = 400
NARROW = "raise target_accept, the posterior has narrow corners"


@dataclass(frozen=True)
class Diagnostic:
    """Summary and convergence of one quantity; q16, q50, q84 are quantiles (a 68 % equal-tailed interval)."""

    name: str
    mean: float
    sd: float
    q16: float
    q50: float
    q84: float
    r_hat: float
    ess_bulk: float
    ess_tail: float

    @property
    def good(self) -> bool:
        """R-hat below 1.01 and both effective sample sizes at least 400."""
        return self.r_hat < MAX_R_HAT and min(self.ess_bulk, self.ess_tail) >= MIN_ESS


def diagnose(values: Mapping[str, np.ndarray]) -> tuple[Diagnostic, ...]:
    """Diagnostics of each (chain, draw) array; R-hat and ESS as in Vehtari et al, arXiv:1903.08008, by ArviZ.

    R-hat is the split one, which compares the halves of all chains. Of a single chain it compares the quarters: that
    is no comparison of chains. A quantity that does not vary or fewer than four draws (eight of a single chain) give
    nan for what cannot be computed.
    """
    r_hat, bulk, tail = _arviz_numbers(values)
    found = []
    for name, draws in values.items():
        q16, q50, q84 = (float(q) for q in np.quantile(draws, [0.158655, 0.5, 0.841345]))
        mean, sd = float(np.mean(draws)), float(np.std(draws, ddof=1)) if draws.size > 1 else 0.0
        found.append(Diagnostic(name, mean, sd, q16, q50, q84, r_hat[name], bulk[name], tail[name]))
    return tuple(found)


def pareto_smoothed(log_weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Log weights of draws with their largest ones smoothed, adding up to 1, and the shape k of their tail.

    Pareto-smoothed importance sampling, arXiv:1507.02646, by ArviZ: below k = 0.7 the weighted draws can be trusted.
    Weights that do not vary have no tail: k is minus infinity.
    """
    if np.ptp(log_weights) == 0.0:
        return np.full(log_weights.shape, -np.log(log_weights.size)), -np.inf
    smoothed, k = import_arviz().psislw(log_weights)
    return np.asarray(smoothed), float(k)


def still_chains(z: np.ndarray, log_posterior: np.ndarray) -> tuple[int, ...]:
    """Chains of z (chain, draw, coordinate) that never moved, or have a draw whose posterior density is not finite."""
    if z.shape[1] < 2:
        return ()
    stuck = np.all(np.ptp(z, axis=1) == 0.0, axis=1) | ~np.isfinite(log_posterior).all(axis=1)
    return tuple(np.flatnonzero(stuck).tolist())


def verdict(
    diagnostics: Sequence[Diagnostic],
    divergences: int,
    chains: int,
    independent: bool = False,
    has_edges: bool = False,
    populations: bool = False,
) -> tuple[str, ...]:
    """What is wrong with the draws, one sentence each; empty when nothing is.

    `independent` draws, those of nested sampling, have no R-hat to look at, and more of them cost nothing but memory.
    `has_edges`: what is not finite near the draws explains divergences. `populations`: the chains are tempered ones.
    """
    if independent:
        return _too_few(diagnostics, "equal draws are kept", "raise chains or draws in [sampling]")
    sentences, longer = [], "run longer chains" if chains > 1 else "run a longer chain, or several"
    if populations:
        longer = "give more points or moves in [sampling]"
    if chains == 1:
        sentences.append(
            "one chain cannot show whether others would end elsewhere, its R-hat compares its own quarters: run "
            "several, chains = 4"
        )
    loose = [d for d in diagnostics if not d.r_hat < MAX_R_HAT]
    if loose:
        worst = max(loose, key=lambda d: np.inf if np.isnan(d.r_hat) else d.r_hat)
        names = ", ".join(d.name for d in loose)
        sentences.append(f"R-hat is not below {MAX_R_HAT} for {names} (worst {worst.r_hat:.3f}): {longer}")
    sentences += _too_few(diagnostics, "effective samples", longer)
    if divergences:
        cause = "chains turn back where the likelihood or its gradient stops being finite" if has_edges else NARROW
        sentences.append(f"{divergences} divergent transitions: {cause}")
    return tuple(sentences)


def _too_few(diagnostics: Sequence[Diagnostic], what: str, remedy: str) -> tuple[str, ...]:
    poor = [d for d in diagnostics if not min(d.ess_bulk, d.ess_tail) >= MIN_ESS]
    if not poor:
        return ()
    least, names = min(min(d.ess_bulk, d.ess_tail) for d in poor), ", ".join(d.name for d in poor)
    return (f"fewer than {MIN_ESS} {what} for {names} (least {least:.0f}): {remedy}",)


def _compared(draws: np.ndarray) -> np.ndarray:
    """What R-hat compares: chains, or of a single one its halves (each of which R-hat splits again)."""
    half = draws.shape[1] // 2
    return draws if draws.shape[0] > 1 else draws[:, : 2 * half].reshape(2, half)


def _arviz_numbers(values: Mapping[str, np.ndarray]) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    usable = {n: x for n, x in values.items() if _compared(x).shape[1] > 3 and np.ptp(x) > 0.0}
    nothing = dict.fromkeys(values, float("nan"))
    if not usable:
        return nothing, dict(nothing), dict(nothing)
    import xarray

    arviz = import_arviz()
    data, compared = (
        xarray.Dataset({name: (("chain", "draw"), x) for name, x in table.items()})
        for table in (usable, {name: _compared(x) for name, x in usable.items()})
    )
    numbers: list[Any] = [arviz.rhat(compared), arviz.ess(data, method="bulk"), arviz.ess(data, method="tail")]
    found = [{**nothing, **{str(n): float(x) for n, x in table.data_vars.items()}} for table in numbers]
    return found[0], found[1], found[2]
