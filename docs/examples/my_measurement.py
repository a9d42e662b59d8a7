"""A measurement of your own in one file: one number with a Gaussian error, here a made-up shift of the muon's moment.

Name it in a card:  [measurements]  "my_measurement.py:load" = {scale = "1.0"}  (options reach the function as text)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp

from anomfit.capabilities import PredictsLeptonMoment
from anomfit.measurements.base import Bin, Prediction


@jax.tree_util.register_static
@dataclass(frozen=True)
class Description:
    """The words, kept apart from the numbers so that other numbers need no new compilation."""

    name: str = "my-muon"
    era: str = "example"
    title: str = "A made-up measurement of the muon's moment"


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MyMeasurement:
    """All that a measurement must have; a registered pytree whose leaves are the data."""

    value: jax.Array
    sigma: jax.Array
    about: Description = Description()

    name = property(lambda self: self.about.name)
    era = property(lambda self: self.about.era)
    title = property(lambda self: self.about.title)
    samples = frozenset({"my-muon-data"})  # two measurements that share a sample are never fitted together
    accepts = (PredictsLeptonMoment,)
    nuisances = ()
    references = ()
    independent_numbers = 1  # what chi^2 sums over; 0 for a limit

    @property
    def choices(self) -> Mapping[str, str]:
        """Options in force, in words, for the report."""
        return {"error": "Gaussian"}

    def bins(self):
        """The data as a table."""
        return [Bin("Delta a_mu", math.nan, math.nan, "1", float(self.value), 0.0, float(self.sigma))]

    def predict(self, model, point, nuisances):
        """The model's shift, as one component."""
        return Prediction({"moment": jnp.atleast_1d(model.lepton_moment(point, "muon"))}, {})

    def log_likelihood(self, prediction, nuisances):
        """A Gaussian, up to a constant."""
        return -0.5 * self.chi_squared(prediction, nuisances)

    def chi_squared(self, prediction, nuisances):
        """The squared pull."""
        return jnp.sum(self.pulls(prediction, nuisances) ** 2)

    def pulls(self, prediction, nuisances):
        """(data - signal) / error."""
        return (self.value - prediction.total) / self.sigma

    def simulate(self, prediction, nuisances, key):
        """The same measurement with another value, as a repeated experiment would find it; only toys need this."""
        return replace(self, value=prediction.total[0] + self.sigma * jax.random.normal(key))


def load(scale: str = "1.0") -> MyMeasurement:
    """The measurement; `scale` multiplies the central value."""
    return MyMeasurement(jnp.asarray(2.5e-9 * float(scale)), jnp.asarray(0.6e-9))
