"""KOTO: K_L -> pi0 and nothing else seen, in every era of its data; counts, or the branching ratio inferred in 2019."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.capabilities import DecaysMesons
from anomfit.data import load_record
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasSources
from anomfit.measurements.entries import Entry
from anomfit.measurements.koto_sensitivity import events_per_rate, koto_sensitivity
from anomfit.parameters import Nuisance, Point
from anomfit.physics.light_bosons import joined
from anomfit.statistics.terms import gaussian_log_likelihood, minus_two, poisson_log_likelihood, saturated_deviance
from anomfit.statistics.throws import poisson_counts, two_sided_gaussian

NAME = "koto"
MODE = "K_L -> pi0"
RATE = "B(K_L -> pi0 phi, phi invisible)"
SAMPLES = {"2015": "KOTO 2015", "2019": "KOTO 2016-2018", "2020": "KOTO 2016-2018", "2021": "KOTO 2021"}
INFERRED = "2019-inferred"
CURVE = (
    "sensitivity by mass",
    "curve of 2015 scaled by the sensitivity to K_L -> pi0 nu nubar; a visible decay of phi is vetoed",
)
ACCEPTANCE = (
    "acceptance",
    "that of K_L -> pi0 nu nubar whatever the mass; three of the four candidates; 68 % errors",
)


@dataclass(frozen=True)
class Koto(HasSources):
    """Candidates in the signal box; the first four are data."""

    observed: Float[Array, ""]
    background: Float[Array, ""]
    standard_model: Float[Array, ""]  # events of K_L -> pi0 nu nubar
    sensitivity: Mapping[str, Float[Array, "masses"]]
    described: Described
    nuisances: tuple[Nuisance, Nuisance]  # scales of the sensitivity and of the background

    name = NAME
    accepts = (DecaysMesons,)
    independent_numbers = 1

    def bins(self) -> list[Bin]:
        """Candidates and background, the Standard Model included; error: Poisson and the background's."""
        expected = float(self.background + self.standard_model)
        error = float(np.hypot(np.sqrt(expected), self.nuisances[1].sigma * float(self.background)))
        return [Bin("KOTO signal box", float("nan"), float("nan"), "events", float(self.observed), expected, error)]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Events of K_L -> pi0 phi with phi invisible."""
        rates = _invisible(model, point)
        events = jnp.sum(rates.branching * events_per_rate(self.sensitivity, rates.mass))
        scale = nuisances.get(self.nuisances[0].name, self.nuisances[0].mean)
        return Prediction({"K_L -> pi0 phi": jnp.reshape(scale * events, (1,))}, {RATE: jnp.sum(rates.branching)})

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Poisson."""
        return jnp.sum(poisson_log_likelihood(self.observed, self._expectation(prediction, nuisances)))

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The deviance from a perfect fit."""
        return jnp.sum(saturated_deviance(self.observed, self._expectation(prediction, nuisances)))

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "1"]:
        """(data - expectation) over the root of the expectation."""
        expectation = self._expectation(prediction, nuisances)
        return (self.observed - expectation) / jnp.sqrt(expectation)

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "Koto":
        """Other candidates, Poisson."""
        expected = self._expectation(prediction, nuisances)[0]
        return replace(self, observed=poisson_counts(key, expected))

    def _expectation(self, prediction: Prediction, nuisances: Point):
        sensitivity, background = (nuisances.get(n.name, n.mean) for n in self.nuisances)
        return background * self.background + sensitivity * self.standard_model + prediction.total


@dataclass(frozen=True)
class KotoInferred(HasSources):
    """The branching ratio that arXiv:1909.11111 infers from the candidates of 2019; the first three are data."""

    value: Float[Array, ""]
    sigma_minus: Float[Array, ""]
    sigma_plus: Float[Array, ""]
    described: Described
    nuisances: tuple[Nuisance, ...] = ()

    name = NAME
    accepts = (DecaysMesons,)
    independent_numbers = 1

    def bins(self) -> list[Bin]:
        """One entry; the error is the mean of both sides."""
        error = 0.5 * float(self.sigma_minus + self.sigma_plus)
        return [Bin("B(K_L -> pi0 nu nubar)", float("nan"), float("nan"), "1", float(self.value), 0.0, error)]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Branching ratio of K_L -> pi0 phi with phi invisible."""
        total = jnp.sum(_invisible(model, point).branching)
        return Prediction({"K_L -> pi0 phi": jnp.reshape(total, (1,))}, {})

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Two half-Gaussians."""
        residual = prediction.total - self.value
        return jnp.sum(gaussian_log_likelihood(residual, self.sigma_minus, self.sigma_plus))

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """-2 ln L."""
        return minus_two(self.log_likelihood(prediction, nuisances))

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "1"]:
        """(inferred - predicted) over the error on the prediction's side."""
        residual = prediction.total - self.value
        return -residual / jnp.where(residual > 0.0, self.sigma_plus, self.sigma_minus)

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "KotoInferred":
        """Another inferred branching ratio, with the errors of either side."""
        thrown = two_sided_gaussian(key, prediction.total[0], self.sigma_minus, self.sigma_plus)
        return replace(self, value=thrown)


jax.tree_util.register_dataclass(
    Koto,
    data_fields=["observed", "background", "standard_model", "sensitivity"],
    meta_fields=["described", "nuisances"],
)
jax.tree_util.register_dataclass(
    KotoInferred, data_fields=["value", "sigma_minus", "sigma_plus"], meta_fields=["described", "nuisances"]
)


@dataclass(frozen=True)
class _Invisible:
    mass: Float[Array, " bosons"]
    branching: Float[Array, " bosons"]


def _invisible(model: object, point: Point) -> _Invisible:
    assert isinstance(model, DecaysMesons)  # build_problem and predict check it for the user
    bosons, rates = joined(model.light_bosons(point)), model.meson_branching_ratios(point, MODE)
    return _Invisible(bosons.mass, jnp.concatenate(rates) * bosons.branching_ratio("invisible"))


def load_koto(era: str = "2021") -> Koto:
    """The candidates of an era: "2015", "2019", "2020" or "2021"."""
    eras = load_record("koto/eras").parts
    record, values = eras[era], eras[era].values
    rate = eras["standard_model"].values["rate"]
    return Koto(
        observed=_leaf(values["observed"]),
        background=_leaf(values["background"]),
        standard_model=_leaf(rate / values["ses"]),
        sensitivity={key: jnp.asarray(column) for key, column in koto_sensitivity(era).items()},
        described=_described(era, era, record.title, CURVE),
        nuisances=(
            _scale(f"koto_sensitivity_{era}", r"s_K", values["ses_error"] / values["ses"], "sensitivity"),
            _scale(f"koto_background_{era}", r"b_K", values["background_error"] / values["background"], "background"),
        ),
    )


def load_koto_inferred() -> KotoInferred:
    """2.1 +2.0 -1.1 e-9, what arXiv:2005.08920 explains (equation 1)."""
    record = load_record("koto/eras").parts["2019"]
    value, minus, plus = (_leaf(record.values[key]) for key in ("inferred", "inferred_minus", "inferred_plus"))
    title = "KOTO 2019: branching ratio inferred from three of the four candidates"
    return KotoInferred(value, minus, plus, _described(INFERRED, "2019", title, ACCEPTANCE))


def _described(name: str, data: str, title: str, assumption: tuple[str, str]) -> Described:
    """`data`: the era whose candidates these are."""
    references = load_record("koto/eras").parts[data].references
    return Described(name, title, (("era", f"{name}: {title}"), assumption), (), references, SAMPLES[data])


def _leaf(value: ArrayLike) -> Float[Array, ""]:
    return jnp.asarray(value, dtype=float)


def _scale(name: str, symbol: str, sigma: float, words: str) -> Nuisance:
    return Nuisance(name, symbol, 1.0, sigma, f"scale of KOTO's {words}, {sigma:.0%}")


def _entry(load: Callable[..., Koto | KotoInferred], title: str, status: str, *references: str) -> Entry:
    return Entry(load, title, status, references)


# the first era is the default
ENTRIES: dict[str, Entry] = {
    "2021": _entry(partial(load_koto, "2021"), "KOTO data of 2021: no candidate", "release", "arXiv:2411.11237"),
    "2020": _entry(
        partial(load_koto, "2020"),
        "KOTO data of 2016 to 2018, final: three candidates",
        "release",
        "arXiv:2012.07571",
    ),
    "2019": _entry(
        partial(load_koto, "2019"),
        "KOTO data of 2016 to 2018 as shown in 2019: four candidates",
        "third-party",
        "arXiv:1909.11111",
    ),
    INFERRED: _entry(
        load_koto_inferred,
        "KOTO 2019: branching ratio inferred from three of the four candidates",
        "third-party",
        "arXiv:1909.11111",
    ),
    "2015": _entry(partial(load_koto, "2015"), "KOTO data of 2015: no candidate", "release", "arXiv:1810.09655"),
}
