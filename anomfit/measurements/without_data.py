"""What a prediction beside which there are no data says to a fit: nothing."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.measurements.base import Prediction
from anomfit.parameters import Point


class WithoutData:
    """A likelihood, a chi^2 and pulls of 0 (`PredictionAlone`): what is shown is never fitted."""

    independent_numbers = 0
    without_data = True

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """0: there are no data to compare with."""
        return jnp.zeros(())

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """0: there are no data to compare with."""
        return jnp.zeros(())

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """0 in every bin."""
        return jnp.zeros_like(prediction.total)
