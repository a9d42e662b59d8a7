"""Anomalous magnetic moments of muon and electron: experiment minus Standard Model, one record an era."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.capabilities import PredictsLeptonMoment
from anomfit.data import Record, load_record
from anomfit.errors import reject
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.entries import Entry
from anomfit.parameters import Nuisance, Point
from anomfit.statistics.terms import gaussian_log_likelihood, minus_two
from anomfit.statistics.throws import two_sided_gaussian

SYMBOLS = {"muon": "Delta a_mu", "electron": "Delta a_e"}
DEFAULT_ERAS = {"muon": "wp2025", "electron": "rb2020-northwestern2023"}
ERA_ALIASES = {
    "muon": {"papers": "bnl-seed2019"},
    "electron": {"rubidium": "rb2020-northwestern2023", "caesium": "cs2018-northwestern2023"},
}


class Label:
    """What a reader wants to know of an era; all labels are equal, so that another era is the same program to `jit`.

    The price: a measurement that comes out of a jitted function may carry another era's label. None should.
    """

    def __init__(self, era: str, title: str, references: tuple[str, ...]):
        self.era, self.title, self.references = era, title, references

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Label)

    def __hash__(self) -> int:
        return hash(Label)

    def __repr__(self) -> str:
        return f"Label({self.era!r})"


@dataclass(frozen=True)
class LeptonMoment:
    """A measured shift Delta a_l (dimensionless) with one-sigma errors below and above; these three are data."""

    value: Float[Array, ""]
    sigma_minus: Float[Array, ""]
    sigma_plus: Float[Array, ""]
    lepton: str  # "muon" or "electron", static
    label: Label

    accepts = (PredictsLeptonMoment,)
    independent_numbers = 1

    @property
    def name(self) -> str:
        """The measurement's name, "g-2-muon" or "g-2-electron"."""
        return f"g-2-{self.lepton}"

    @property
    def era(self) -> str:
        """The era in use, one of `eras(lepton)`."""
        return self.label.era

    @property
    def title(self) -> str:
        """The era in words."""
        return self.label.title

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of references.toml for experiment and theory."""
        return self.label.references

    @property
    def samples(self) -> frozenset[str]:
        """Two eras of one lepton describe the same quantity: only one of them goes into a fit."""
        return frozenset({self.name})

    @property
    def is_quick(self) -> bool:
        """It is one loop integral (capability Quick of measurements)."""
        return True

    @property
    def nuisances(self) -> tuple[Nuisance, ...]:
        """None: the theory error is part of the difference's."""
        return ()

    @property
    def choices(self) -> Mapping[str, str]:
        """The era, in words."""
        return {"era": f"{self.era}: {self.title}"}

    def bins(self) -> list[Bin]:
        """The difference as one entry without edges; its error is the mean of the two sides."""
        error = 0.5 * float(self.sigma_minus + self.sigma_plus)
        return [Bin(SYMBOLS[self.lepton], float("nan"), float("nan"), "1", float(self.value), 0.0, error)]

    def predict(self, model: PredictsLeptonMoment, point: Point, nuisances: Point) -> Prediction:
        """The model's Delta a_l, one bin."""
        moment = jnp.asarray(model.lepton_moment(point, self.lepton))
        return Prediction(signal={"new physics": jnp.reshape(moment, (1,))}, before_efficiency={})

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Gaussian, asymmetric where the errors are; 0 at the measured value."""
        return jnp.sum(gaussian_log_likelihood(self._residual(prediction), self.sigma_minus, self.sigma_plus))

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """-2 ln L."""
        return minus_two(self.log_likelihood(prediction, nuisances))

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "1"]:
        """(measured - predicted) over the error on the prediction's side."""
        residual = self._residual(prediction)
        return -residual / jnp.where(residual > 0.0, self.sigma_plus, self.sigma_minus)

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "LeptonMoment":
        """Another measured shift, with the errors of either side."""
        thrown = two_sided_gaussian(key, prediction.total[0], self.sigma_minus, self.sigma_plus)
        return replace(self, value=thrown)

    def _residual(self, prediction: Prediction) -> Float[Array, "1"]:
        return prediction.total - self.value


jax.tree_util.register_dataclass(
    LeptonMoment, data_fields=["value", "sigma_minus", "sigma_plus"], meta_fields=["lepton", "label"]
)


def load_lepton_moment(lepton: str, era: str = "default") -> LeptonMoment:
    """The measurement for "muon" or "electron" in an era of `eras(lepton)`, an alias of one, or the default.

    Numbers and sources: data/gminus2/. Raises InputError for an unknown lepton or era.
    """
    records = _era_records(lepton)
    aliases = {"default": DEFAULT_ERAS[lepton], **ERA_ALIASES[lepton]}
    chosen = aliases.get(era, era)
    if chosen not in records:
        known = [*records, *aliases]
        near = difflib.get_close_matches(str(era), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise reject(f"era of g-2-{lepton}", era, f"{hint}use one of {', '.join(known)}")
    record = records[chosen]
    numbers = {key: np.asarray(record.values[key]) for key in ("difference", "sigma_minus", "sigma_plus")}
    return LeptonMoment(
        value=numbers["difference"],  # type: ignore[arg-type]  # NumPy until JAX sees it
        sigma_minus=numbers["sigma_minus"],  # type: ignore[arg-type]
        sigma_plus=numbers["sigma_plus"],  # type: ignore[arg-type]
        lepton=lepton,
        label=Label(chosen, record.title, record.references),
    )


def entries(lepton: str) -> dict[str, Entry]:
    """The eras of "muon" or "electron" for the catalogue, the default first."""
    records, default = _era_records(lepton), DEFAULT_ERAS[lepton]
    aliases = {era: tuple(name for name, own in ERA_ALIASES[lepton].items() if own == era) for era in records}
    return {
        era: Entry(
            partial(load_lepton_moment, lepton, era),  # type: ignore[arg-type]  # its data are NumPy until JAX sees them
            records[era].title,
            "release",
            records[era].references,
            aliases[era],
        )
        for era in sorted(records, key=lambda era: era != default)
    }


def eras(lepton: str) -> dict[str, str]:
    """The eras of "muon" or "electron" with a title for each; aliases are left out."""
    return {era: record.title for era, record in _era_records(lepton).items()}


def _era_records(lepton: str) -> dict[str, Record]:
    if lepton not in SYMBOLS:
        raise reject("lepton", lepton, f"use one of {', '.join(SYMBOLS)}")
    parts = load_record(f"gminus2/{lepton}").parts
    return {name.removeprefix("era/"): part for name, part in parts.items() if name.startswith("era/")}
