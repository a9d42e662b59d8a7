"""Work in other processes: in order, without their warnings, and without JAX there."""

import subprocess
import sys
from math import sqrt

from anomfit.inference.workers import workers


def test_results_come_in_order_from_more_than_one_process():
    with workers(2) as pool:
        assert pool.size == 2
        assert pool.map(sqrt, [4.0, 9.0, 16.0]) == [2.0, 3.0, 4.0]


def test_a_worker_starts_without_jax():
    command = "import sys, anomfit.inference.workers; print('jax' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
