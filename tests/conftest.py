"""`pytest.approx(x, rel=...)` means just that in these tests.

pytest adds an absolute tolerance of 1e-12, under which every cross section in GeV^-2 and every magnetic moment agrees
with every other. Give `abs` where a number may really be off by that much.
"""

import pytest

_approx = pytest.approx


def _strict(expected, rel=None, abs=None, nan_ok=False):
    if abs is None:
        return _approx(expected, rel=1e-6 if rel is None else rel, abs=0.0, nan_ok=nan_ok)
    return _approx(expected, rel=rel, abs=abs, nan_ok=nan_ok)


pytest.approx = _strict
