"""A result: everything a fit found and everything needed to repeat it, and the spectra that figures show."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import jax
import numpy as np

from anomfit.capabilities import choices_of
from anomfit.cards import card_from_text
from anomfit.identity import identity
from anomfit.inference.compare.exclusions import Exclusions, WithoutLimits
from anomfit.inference.compare.goodness import Goodness
from anomfit.inference.compare.significance import ProjectionFit, Significance
from anomfit.inference.compare.throwing import replicas
from anomfit.inference.compiled import forward, forward_at
from anomfit.inference.fit.minimise import Fit
from anomfit.inference.fit.minos import MinosError
from anomfit.inference.fit.uncertainties import Hesse
from anomfit.inference.sample.chains import Samples
from anomfit.measurements.base import Bin
from anomfit.problem import Problem
from anomfit.statistics.tension import Tension
from anomfit.tables.use import TableUse

SOFTWARE = ("anomfit", "jax", "jaxlib", "numpyro", "nautilus-sampler", "iminuit", "arviz", "numpy", "scipy")


@dataclass(frozen=True)
class FreeCoordinate:
    """A parameter as it was fitted: `prior` is one of `anomfit.parameters.PRIORS` between low and high, or "pull"."""

    name: str
    symbol: str
    unit: str
    low: float
    high: float
    prior: str


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from. `card` is the whole TOML text, `measurements` name:era; the keys of `choices` are
    those and the model's name; `identity` fixes the likelihood, so that only the same one goes on with the result (see
    `anomfit.identity`)."""

    card: str
    seed: int
    model: str
    parametrisation: str
    coordinates: tuple[FreeCoordinate, ...]
    fixed: dict[str, float]
    measurements: tuple[str, ...]
    choices: dict[str, dict[str, str]]
    references: tuple[str, ...]
    versions: dict[str, str]
    created: str
    identity: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Spectrum:
    """A measurement's table with the best fit: signal by component, pulls, and what some posterior draws predict.

    `predictive` is the expected signal of those draws, without statistical fluctuation, and `replicas` data like the
    observed ones: background, signal and fluctuation together, thrown at each draw. Both have axes (chain, draw, bin)
    and are None without sampling; a limit has no data and no replicas. `fitted` is False for a projection that is only
    a posterior-predictive check.
    """

    measurement: str
    era: str
    title: str
    bins: tuple[Bin, ...]
    best_fit: dict[str, np.ndarray]
    pulls: np.ndarray
    predictive: np.ndarray | None
    fitted: bool
    replicas: np.ndarray | None = None

    @property
    def full_name(self) -> str:
        """Name and era with a colon."""
        return f"{self.measurement}:{self.era}"


@dataclass(frozen=True)
class Result:
    """What `save_result` writes and `load_result` reads; parts that were not computed are None or empty.

    `log_likelihood` has axes (chain, draw, measurement): ln L of each measurement at every posterior draw. `failed`: a
    sentence for each of the checks that ended with an error.
    """

    provenance: Provenance
    fit: Fit | None = None
    hesse: Hesse | None = None
    minos: tuple[MinosError, ...] = ()
    goodness: Goodness | None = None
    significance: Significance | None = None
    samples: Samples | None = None
    spectra: tuple[Spectrum, ...] = ()
    tensions: tuple[Tension, ...] = ()
    log_likelihood: np.ndarray | None = None
    exclusions: Exclusions | None = None
    without_limits: WithoutLimits | None = None
    projections: tuple[ProjectionFit, ...] = ()
    table: TableUse | None = None
    failed: tuple[str, ...] = ()


def options_of(result: Result, measurement: str) -> dict[str, str]:
    """The options that the card of a result gives the measurement of this name (without an era); {} where none."""
    card = card_from_text(result.provenance.card)
    return next((dict(choice.options) for choice in card.measurements if choice.name == measurement), {})


def provenance(problem: Problem, card: str, seed: int) -> Provenance:
    """The provenance of a fit of `problem`, of the `card` whose text is given, with this `seed`."""
    free = [FreeCoordinate(p.name, p.symbol, p.unit, p.low, p.high, p.prior) for p in problem.free]
    pulls = [FreeCoordinate(n.name, n.symbol, "sigma", -np.inf, np.inf, "pull") for n in problem.nuisances]
    references = dict.fromkeys([*problem.model.references, *(r for m in problem.measurements for r in m.references)])
    return Provenance(
        card=card,
        seed=seed,
        model=problem.model.name,
        parametrisation=problem.parametrisation.name,
        coordinates=(*free, *pulls),
        fixed={name: float(value) for name, value in problem.fixed.items()},
        measurements=tuple(f"{m.name}:{m.era}" for m in problem.measurements),
        choices={
            problem.model.name: choices_of(problem.model),
            **{f"{m.name}:{m.era}": dict(m.choices) for m in problem.measurements},
        },
        references=tuple(references),
        versions=software_versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        identity=identity(problem),
    )


def software_versions() -> dict[str, str]:
    """Versions of Python and of the packages that the numbers rest on; "not installed" where there is none."""
    versions = {"python": platform.python_version()}
    for name in SOFTWARE:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def spectra(
    problem: Problem, point: Mapping[str, float], samples: Samples | None = None, draws: int = 200, fitted: bool = True
) -> tuple[Spectrum, ...]:
    """Every measurement of `problem` at `point`, with the signal of about `draws` evenly spaced posterior draws.

    `problem` may hold other measurements than the fit did (a posterior-predictive check, `fitted` False), with the same
    free parameters; a pull it does not know is left out, one that `point` lacks is 0.
    """
    totals, data = (
        ([None] * len(problem.measurements),) * 2 if samples is None else _predictive(problem, samples, draws)
    )
    best, found = forward_at(problem, point), []
    for i, measurement in enumerate(problem.measurements):
        found.append(
            Spectrum(
                measurement=measurement.name,
                era=measurement.era,
                title=measurement.title,
                bins=tuple(measurement.bins()),
                best_fit={component: signal[0] for component, signal in best.signal[i].items()},
                pulls=best.pulls[i][0],
                predictive=totals[i],
                fitted=fitted,
                replicas=data[i],
            )
        )
    return tuple(found)


def log_likelihoods(problem: Problem, samples: Samples) -> np.ndarray:
    """ln L of each measurement (without the nuisances' own data) at every draw: (chain, draw, measurement)."""
    found = forward(problem, {name: x.ravel() for name, x in samples.values.items()}).log_likelihood
    return np.stack(found, axis=-1).reshape(*samples.z.shape[:2], -1)


def _predictive(problem: Problem, samples: Samples, draws: int) -> tuple[list[Any], list[Any]]:
    """Expected signals and thrown data of about `draws` of the draws, for every measurement."""
    chains, drawn = samples.z.shape[:2]
    step = max(1, drawn * chains // draws)
    kept = {name: x[:, ::step] for name, x in samples.values.items()}
    shape = next(iter(kept.values())).shape
    points = {name: x.ravel() for name, x in kept.items()}
    signal = forward(problem, points).signal
    thrown = replicas(problem, points, signal, jax.random.key(drawn))
    totals = [np.asarray(sum(components.values())).reshape(*shape, -1) for components in signal]
    return totals, [None if data is None else data.reshape(*shape, -1) for data in thrown]
