"""Parameter goodness of fit: whether parts of the data agree on their common parameters.

Maltoni and Schwetz, hep-ph/0304176: what the minimum of all data together lies above the sum of the minima of the parts
is chi^2-distributed, with as many degrees of freedom as parameters are fixed more than once. The number of bins does
not enter, so that a part with many bins that know nothing of the parameters dilutes nothing.
"""

from dataclasses import dataclass

from scipy.stats import chi2


@dataclass(frozen=True)
class Minimum:
    """-2 ln L at its minimum, and the number of parameters (or combinations of them) that the data fix there."""

    twice_nll: float
    parameters: int


@dataclass(frozen=True)
class Tension:
    """One part of the data against all others.

    chi_squared = -2 ln L of (all together - the part alone - the others), each at its own minimum; degrees of freedom:
    parameters of the part + of the others - of all. `p_value` is None where no parameter is in common.
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
    def degrees_of_freedom(self) -> int:
        """Parameters that the part and the others fix both."""
        return max(0, self.alone.parameters + self.others.parameters - self.together.parameters)

    @property
    def p_value(self) -> float | None:
        """Probability of a larger chi^2; None without a common parameter."""
        if self.degrees_of_freedom == 0:
            return None
        return float(chi2.sf(max(self.chi_squared, 0.0), self.degrees_of_freedom))
