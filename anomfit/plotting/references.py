"""Published hypotheses to draw beside a fit, computed through the same measurement."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from anomfit.capabilities import PredictsAppearance
from anomfit.catalogue import find_projection, measurement_names
from anomfit.models.oscillation import oscillation
from anomfit.plotting.panels import Curve
from anomfit.prediction import predict

# named points of the oscillation model by measurement, with the publication of the fit
PUBLISHED = {
    "miniboone": ("miniboone-2020", "arXiv:2006.16883"),
    "lsnd": ("lsnd", "hep-ex/0104049"),
    "karmen": ("lsnd", "hep-ex/0104049"),
}


def oscillation_curves(full_name: str, options: Mapping[str, str] = MappingProxyType({})) -> tuple[Curve, ...]:
    """A published best fit of oscillation in the bins of the measurement "name:era": LSND's in LSND and in KARMEN.

    options: those that a fit gave the measurement, as far as this era knows them. Empty for a measurement that does not
    ship or that knows no appearance.
    """
    name, _, era = full_name.partition(":")
    if name not in measurement_names() or name not in PUBLISHED:
        return ()
    measurement = find_projection(name, era, options)
    if PredictsAppearance not in measurement.accepts:
        return ()
    chosen, reference = PUBLISHED[name]
    point = oscillation.points[chosen]
    (report,) = predict(oscillation, measurement, oscillation.parametrisations["physical"], [point])
    return (Curve(_label(point, reference), np.array(report.total)),)


def _label(point: Mapping[str, float], reference: str) -> str:
    values = rf"$\sin^2 2\theta$ = {point['sin2_2theta']:g}, $\Delta m^2$ = {point['delta_m2']:g} eV$^2$"
    return f"oscillation best fit of {reference}\n({values})"
