"""Parameter goodness of fit: whether parts of the data agree on their common parameters.

Maltoni and Schwetz, hep-ph/0304176: what the minimum of all data together lies above the sum of the minima of the parts
is chi^2-distributed, with as many degrees of freedom as parameters are fixed more than once. The number of bins does
not enter, so that a part with many bins that know nothing of the parameters dilutes nothing.
"""

from dataclasses import dataclass

from scipy.stats import chi2

SEEN = 0.1  # of chi^2: what proves a parameter in common that the counting missed


@dataclass(frozen=True)
class Minimum:
    """-2 ln L at its minimum, the number of parameters (or combinations of them) that the data fix there, and how much
    higher it is where all data together are best.
    """

    twice_nll: float
    parameters: int
    paid: float = 0.0


@dataclass(frozen=True)
class Tension:
    """One part of the data against all others.

    chi_squared = -2 ln L of (all together - the part alone - the others), each at its own minimum; degrees of freedom:
    parameters of the part + of the others - of all, and at least 1 where chi^2 shows that something is in common (a
    bound or a curved valley can hide it from the counting). `p_value` is None where nothing is.
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
        counted = self.alone.parameters + self.others.parameters - self.together.parameters
        return max(counted, int(self.chi_squared > SEEN))

    @property
    def p_value(self) -> float | None:
        """Probability of a larger chi^2; None without a common parameter."""
        if self.degrees_of_freedom == 0:
            return None
        return float(chi2.sf(max(self.chi_squared, 0.0), self.degrees_of_freedom))
