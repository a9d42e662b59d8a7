"""A user's own CSV file in a card: a limit ("kind") or data of an experiment that the library knows ("like")."""

from collections.abc import Mapping
from pathlib import Path

from anomfit.errors import InputError, reject
from anomfit.measurements.base import Measurement


def load_own_table(path: Path, options: Mapping[str, str]) -> Measurement:
    """The limit or the measurement that a CSV file is, by what its `options` say.

    kind = "curve": `anomfit.constraints.own_curves`. like = the name of a measurement: `anomfit.measurements.own_data`.
    Raises InputError for options that say neither, and for whatever is wrong with them or with the file.
    """
    if "like" in options and "kind" not in options:
        from anomfit.catalogue import find_measurement
        from anomfit.measurements.own_data import load_own_data

        return load_own_data(path, options, find_measurement)
    if options.get("kind") == "curve":
        from anomfit.constraints.own_curves import load_own_curve

        return load_own_curve(path, options)
    if "kind" in options:
        raise reject(f"{path.name}.kind", options["kind"], "write 'curve'; data say like = ... instead")
    words = "add kind = 'curve' for a limit, or like = 'microboone' for data of that experiment"
    raise InputError(f"{path.name}: it does not say what its numbers are; {words}")
