"""Numbers with a unit at the edges of anomfit ("130MeV"); inside, everything is in the parameter's own unit."""

import math
import re

from anomfit.errors import reject

ELECTRONVOLTS = {"eV": 1.0, "keV": 1e3, "MeV": 1e6, "GeV": 1e9, "TeV": 1e12}

# without two ways to match a run of digits or blanks: a long one would take for ever
_QUANTITY = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z]\S*)?")
_ENERGY_POWER = re.compile(r"(eV|keV|MeV|GeV|TeV)(?:\^(-?\d+))?")


def parse_quantity(quantity: str | float, unit: str, field: str = "value") -> float:
    """The number in `unit` that a user's `quantity` stands for.

    Arguments: `quantity`, a number (already in `unit`) or text such as "130MeV", "0.3 eV^2", "1e-3"; `unit`, the
    parameter's own: "1" or an energy (eV, keV, MeV, GeV, TeV) to an integer power; `field`, the name in an error.
    Raises InputError for text that is no number, for NaN and infinity, and for a unit of another kind.
    """
    remedy = _remedy(unit)
    if isinstance(quantity, bool) or not isinstance(quantity, str | int | float):
        raise reject(field, quantity, remedy)
    if isinstance(quantity, str):
        match = _QUANTITY.fullmatch(quantity.strip())
        if match is None:
            raise reject(field, quantity, remedy)
        number = float(match[1]) * _factor(field, quantity, match[2] or unit, unit)
    else:
        try:
            number = float(quantity)
        except OverflowError:  # an integer beyond every floating-point number
            raise reject(field, quantity, remedy) from None
    if not math.isfinite(number):
        raise reject(field, quantity, remedy)
    return number


def _factor(field: str, quantity: str, given: str, unit: str) -> float:
    if given == unit:
        return 1.0
    source, target = _ENERGY_POWER.fullmatch(given), _ENERGY_POWER.fullmatch(unit)
    if source is None or target is None or (source[2] or "1") != (target[2] or "1"):
        raise reject(field, quantity, _remedy(unit))
    return (ELECTRONVOLTS[source[1]] / ELECTRONVOLTS[target[1]]) ** int(source[2] or 1)


def _remedy(unit: str) -> str:
    target = _ENERGY_POWER.fullmatch(unit)
    if target is None:
        return "give a finite number without a unit" if unit == "1" else f"give a finite number in {unit}"
    power = f"^{target[2]}" if target[2] else ""
    return f"give a finite number in {unit}, or one with a unit among " + ", ".join(u + power for u in ELECTRONVOLTS)
