"""ln L in stages: what takes microseconds first, and each of the others for the points alone that pass those before.

A proposal that a limit on a coupling forbids needs no beam and no detector, and one that misses a measured spectrum no
limits that are integrals. Metropolis and Hastings' rule is asked of the likelihood of each stage, and a proposal is
taken if all say yes: delayed acceptance (Christen and Fox, J. Comput. Graph. Stat. 14 (2005) 795), which leaves the
same posterior alone as one look at the whole likelihood. It takes somewhat fewer proposals where the stages pull
against each other, and far fewer predictions.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from anomfit import interrupts
from anomfit.inference.pulls.integrated import parted
from anomfit.inference.sample import likelihoods
from anomfit.inference.sample.likelihoods import HOPELESS, numbers_of, undefined_in
from anomfit.inference.undefined import Watch
from anomfit.measurements.base import is_limit, is_looked_up, is_quick
from anomfit.problem import Problem

SHARES = {"cpu": 16, "other": 4}  # of a batch, that a later stage is computed in: an accelerator needs the width

Points = Float[np.ndarray, "populations points coordinates"]
Numbers = Float[np.ndarray, "populations points"]
Passed = Bool[np.ndarray, "populations points"]


@dataclass(frozen=True)
class Stages:
    """`parts` of the problem, in the order in which they are asked, many pulls of measurements integrated out
    (`pulls.integrated`). The prior is asked with the first one.
    """

    parts: tuple[Problem, ...]


def stages_of(problem: Problem) -> Stages:
    """The stages of a problem; one alone, if there is nothing to part.

    What is looked up in a table takes a tenth of a millisecond: first beside what takes many, second beside what takes
    microseconds. What has few nodes is slow beside it. Of that, measured spectra are asked before limits, most of which
    allow most of what is asked of them.
    """
    chosen = problem.measurements
    tables = [i for i, m in enumerate(chosen) if is_looked_up(m)]
    quick = [i for i, m in enumerate(chosen) if is_quick(m)]
    slow = [i for i in range(len(chosen)) if i not in quick and i not in tables]
    limits = [i for i in slow if is_limit(chosen[i])]
    spectra = [i for i in slow if i not in limits]
    steps = [sorted(quick + tables), spectra, limits] if slow else [quick, tables]
    return Stages(parted(problem, [step for step in steps if step] or [[]]))


def look(stages: Stages, stage: int, z: Points, passed: Passed, watch: Watch) -> Numbers:
    """ln L of a stage at the points that `passed` those before, and `HOPELESS` at the others.

    The first one, which has the prior's weight, is asked everywhere. `watch` notes where ln L is not a number.
    """
    if stage == 0:
        flat = z.reshape(-1, z.shape[-1])
        density = np.asarray(likelihoods.log_posteriors(stages.parts[0], jnp.asarray(flat)))
        value = density + 0.5 * np.sum(flat**2, axis=1)
        watch.note(flat, undefined_in(value))
        return numbers_of(value).reshape(z.shape[:-1])
    found = np.full(passed.shape, HOPELESS)
    asked = z[passed]
    if len(asked):
        shares = SHARES["cpu" if jax.default_backend() == "cpu" else "other"]
        devices = jax.local_device_count()
        together = -(-passed.size // (shares * devices)) * devices  # one shape: one program
        lanes = np.minimum(np.arange(-(-len(asked) // together) * together), len(asked) - 1).reshape(-1, together)
        value = np.concatenate([_measured(stages.parts[stage], asked[i]) for i in lanes])[: len(asked)]
        watch.note_more(asked, undefined_in(value))
        found[passed] = numbers_of(value)
    return found


def _measured(problem: Problem, z: np.ndarray) -> np.ndarray:
    interrupts.check()
    return np.asarray(likelihoods.measured_log_likelihoods(problem, jnp.asarray(z)))
