"""Published hypotheses to draw beside a fit, computed through the same measurement."""

from collections.abc import Mapping

import numpy as np

from anomfit.capabilities import PredictsAppearance
from anomfit.measurements.catalogue import find_measurement, measurement_names
from anomfit.models.oscillation import oscillation
from anomfit.plotting.panels import Curve
from anomfit.prediction import predict

OSCILLATION_POINT = "miniboone-2020"


def oscillation_curves(full_name: str) -> tuple[Curve, ...]:
    """The published best fit of nu_mu -> nu_e oscillation in the bins of the measurement "name:era".

    Empty for a measurement that does not ship or that knows no appearance (the released events are in E_nu^QE only).
    """
    if full_name.partition(":")[0] not in measurement_names():
        return ()
    measurement = find_measurement(full_name)
    if PredictsAppearance not in measurement.accepts:
        return ()
    point = oscillation.points[OSCILLATION_POINT]
    (report,) = predict(oscillation, measurement, oscillation.parametrisations["physical"], [point])
    return (Curve(_label(point), np.array(report.total)),)


def _label(point: Mapping[str, float]) -> str:
    values = rf"$\sin^2 2\theta$ = {point['sin2_2theta']:g}, $\Delta m^2$ = {point['delta_m2']:g} eV$^2$"
    return f"oscillation best fit of arXiv:2006.16883\n({values})"
