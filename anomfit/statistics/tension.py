"""Parameter goodness of fit: whether parts of the data agree on their common parameters.

Maltoni and Schwetz, hep-ph/0304176: what the minimum of all data together lies above the sum of the minima of the parts
is chi^2-distributed, with as many degrees of freedom as parameters are fixed more than once. The number of bins does
not enter, so that a part with many bins that know nothing of the parameters dilutes nothing.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2

SEEN = 0.1  # of chi^2 or of a parameter: what counts as something in common


@dataclass(frozen=True)
class Minimum:
    """-2 ln L at its minimum, the number of parameters (or combinations of them) that the data determine there, and how
    much higher it is where all data together are best.
    """

    twice_nll: float
    parameters: float
    paid: float = 0.0


@dataclass(frozen=True)
class Tension:
    """One part of the data against all others.

    chi_squared = -2 ln L of (all together - the part alone - the others), each at its own minimum; degrees of freedom:
    parameters of the part + of the others - of all, no whole number where something is half determined, and at least 1
    where chi^2 shows that something is in common (a bound or a curved valley can hide it from the counting). `p_value`
    is None where nothing is.
    """

    name: str
    together: Minimum
    alone: Minimum
    others: Minimum
    note: str = ""

    @property
    def chi_squared(self) -> float:
        """What agreeing with the others costs."""
        return self.together.twice_nll - self.alone.twice_nll - self.others.twice_nll

    @property
    def degrees_of_freedom(self) -> float:
        """Parameters that the part and the others determine both."""
        counted = self.alone.parameters + self.others.parameters - self.together.parameters
        return max(counted, 1.0 if self.chi_squared > SEEN else 0.0)

    @property
    def p_value(self) -> float | None:
        """Probability of a larger chi^2; None without a common parameter."""
        if self.degrees_of_freedom < SEEN:
            return None
        return float(chi2.sf(max(self.chi_squared, 0.0), self.degrees_of_freedom))


def determined_parameters(curvature: Float[np.ndarray, "n n"]) -> float:
    """How many of n parameters data determine whose -2 ln L/2 has this second derivative, parameters in ranges.

    sum of lambda/(lambda + 12) over its eigenvalues: 1 less the variance left over that of a uniform prior, 1/12 (the
    number of well-determined parameters of MacKay, Neural Computation 4 (1992) 415).
    """
    eigenvalues = np.maximum(np.linalg.eigvalsh(curvature), 0.0)
    return float(np.sum(eigenvalues / (eigenvalues + 12.0)))
