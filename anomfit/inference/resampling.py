"""Equal draws out of weighted ones."""

import jax
import numpy as np
from jaxtyping import Array


def equal_draws(weights: np.ndarray, number: int, key: Array) -> np.ndarray:
    """Indices of `number` draws of equal weight, in random order, from draws with `weights` that add up to 1.

    Systematic resampling: steps of 1/number through the summed weights from a random start, so that a draw comes twice
    only if its weight is above 1/number.
    """
    key_start, key_order = jax.random.split(key)
    steps = (np.arange(number) + float(jax.random.uniform(key_start))) / number
    found = np.minimum(np.searchsorted(np.cumsum(weights), steps, side="right"), len(weights) - 1)
    return found[np.asarray(jax.random.permutation(key_order, number))]
