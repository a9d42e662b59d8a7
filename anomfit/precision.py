"""Single precision is refused: rates of light mediators come out wrong by factors in it.

Double precision is switched on when anomfit is imported, unless the user has chosen (see the package's first file);
what is in force when something is computed is for JAX to say.
"""

from anomfit.errors import InputError

REMEDY = 'unset JAX_ENABLE_X64 or set it to 1, or call jax.config.update("jax_enable_x64", True), and start again'


def require_double_precision() -> None:
    """Raise InputError, with the remedy, where JAX computes in single precision."""
    import jax

    if not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        raise InputError(f"precision: JAX is set to single precision, in which rates come out wrong; {REMEDY}")
