"""ln L in two stages: what takes microseconds first, and the rest for the points alone that pass a first look.

A proposal that a limit on a coupling forbids needs no beam and no detector. Metropolis and Hastings' rule is asked
twice, of the likelihood of each stage, and a proposal is taken if both say yes: delayed acceptance (Christen and Fox,
J. Comput. Graph. Stat. 14 (2005) 795), which leaves the same posterior alone as one look at the whole likelihood. It
takes somewhat fewer proposals where the stages pull against each other, and far fewer predictions.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from anomfit import interrupts
from anomfit.inference.sample import likelihoods
from anomfit.inference.sample.likelihoods import HOPELESS, numbers_of, undefined_in
from anomfit.inference.undefined import Watch
from anomfit.measurements.base import is_looked_up, is_quick
from anomfit.problem import Problem, with_measurements

SHARES = {"cpu": 16, "other": 4}  # of a batch, that the second stage is computed in: an accelerator needs the width

Points = Float[np.ndarray, "populations points coordinates"]
Numbers = Float[np.ndarray, "populations points"]


@dataclass(frozen=True)
class Stages:
    """`first`: the prior and what is quick; `second`: the rest, None where there is nothing to part."""

    first: Problem
    second: Problem | None


def stages_of(problem: Problem) -> Stages:
    """The two stages of a problem; one alone, if there is nothing to part.

    What is looked up in a table takes a tenth of a millisecond: first beside what takes many, second beside what takes
    microseconds. What has few nodes is slow beside it.
    """
    chosen = problem.measurements
    tables = [i for i, m in enumerate(chosen) if is_looked_up(m)]
    quick = [i for i, m in enumerate(chosen) if is_quick(m)]
    slow = [i for i in range(len(chosen)) if i not in quick and i not in tables]
    first, second = (sorted(quick + tables), slow) if slow else (quick, tables)
    if not first or not second:
        return Stages(problem, None)
    return Stages(with_measurements(problem, first), with_measurements(problem, second))


def first_look(stages: Stages, z: Points, watch: Watch) -> Numbers:
    """ln L of the first stage with the prior's weight; `watch` notes where it is not a number."""
    flat = z.reshape(-1, z.shape[-1])
    value = np.asarray(likelihoods.log_posteriors(stages.first, jnp.asarray(flat))) + 0.5 * np.sum(flat**2, axis=1)
    watch.note(flat, undefined_in(value))
    return numbers_of(value).reshape(z.shape[:-1])


def second_look(stages: Stages, z: Points, passed: Bool[np.ndarray, "populations points"], watch: Watch) -> Numbers:
    """ln L of the second stage at the points that `passed`, `HOPELESS` at the others; 0 of problems in one stage."""
    if stages.second is None:
        return np.zeros(passed.shape)
    found = np.full(passed.shape, HOPELESS)
    asked = z[passed]
    if len(asked):
        shares = SHARES["cpu" if jax.default_backend() == "cpu" else "other"]
        devices = jax.local_device_count()
        together = -(-passed.size // (shares * devices)) * devices  # one shape: one program
        lanes = np.minimum(np.arange(-(-len(asked) // together) * together), len(asked) - 1).reshape(-1, together)
        value = np.concatenate([_measured(stages.second, asked[i]) for i in lanes])[: len(asked)]
        watch.note_more(asked, undefined_in(value))
        found[passed] = numbers_of(value)
    return found


def _measured(problem: Problem, z: np.ndarray) -> np.ndarray:
    interrupts.check()
    return np.asarray(likelihoods.measured_log_likelihoods(problem, jnp.asarray(z)))
