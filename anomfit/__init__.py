"""anomfit: differentiable fits of light new physics to the low-energy anomalies.

float64 is the default and is set here, in one place, unless the user has set JAX_ENABLE_X64.
"""

import os

import jax

if "JAX_ENABLE_X64" not in os.environ:
    jax.config.update("jax_enable_x64", True)

__version__ = "0.1.0"
