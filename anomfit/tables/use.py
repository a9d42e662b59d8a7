"""What a run says of a table or few nodes that it used: for reports and result files, in plain values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Correction:
    """What weights of the exact over the sampled likelihood, smoothed by their tail, make of posterior draws.

    draws: how many have the exact likelihood, all of them; effective: equal ones that the weights are worth; pareto_k:
    shape of the weights' tail (see `diagnostics.pareto_smoothed`); mean, width: the largest change of a mean, in
    standard deviations, and of a standard deviation, as a fraction, of any coordinate; log_evidence: what is added to
    the logarithm of the evidence, with its error; errors: of the table's predictions at the draws, in words, empty
    without a table.
    """

    draws: int
    effective: float
    pareto_k: float
    mean: float
    mean_of: str
    width: float
    width_of: str
    log_evidence: float
    log_evidence_error: float
    errors: str


@dataclass(frozen=True)
class TableUse:
    """A table that a run took: of which measurement (name:era, empty without a table), MB, when it was made, its errors
    at points of the prior in words, the share of the prior that it does not hold, and what was corrected in the
    posterior, None where nothing was drawn with it; few: the measurements that had few nodes.
    """

    measurement: str = ""
    megabytes: float = 0.0
    made: str = ""
    prior_errors: str = ""
    outside: float = 0.0
    correction: Correction | None = None
    few: tuple[str, ...] = ()
