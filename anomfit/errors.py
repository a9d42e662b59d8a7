"""The one exception that a user's input can cause; the command line prints its sentence and exits with status 2."""


class InputError(ValueError):
    """One clear sentence that names the field, the value and the remedy."""


def reject(field: str, value: object, remedy: str) -> InputError:
    """The error for a bad `field` with this `value`; `remedy` completes the sentence ("give a mass above 0")."""
    return InputError(f"{field}: {value!r} is not usable; {remedy}")
