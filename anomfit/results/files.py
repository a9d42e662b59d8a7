"""Results on disk: NetCDF that ArviZ and xarray read, with everything needed to repeat the run inside.

Groups posterior, sample_stats, unconstrained_posterior (the sampler's normal coordinates), posterior_predictive,
observed_data and constant_data follow ArviZ's schema; what has no place there is JSON in the attributes of the root.
"""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from anomfit.errors import InputError
from anomfit.inference.diagnostics import Diagnostic
from anomfit.inference.minimise import Fit, Optimum
from anomfit.inference.minos import MinosError
from anomfit.inference.nuts import Tuning
from anomfit.inference.sample import Evidence, Samples, SampleSettings
from anomfit.inference.uncertainties import FlatDirection, Hesse
from anomfit.measurements.base import Bin
from anomfit.results.result import FreeCoordinate, Provenance, Result, Spectrum
from anomfit.statistics.goodness import Goodness, MeasurementFit
from anomfit.statistics.tension import Minimum, Tension

SCHEMA = 1


def save_result(path: Path, result: Result) -> None:
    """Write `result` to `path` (NetCDF), whole under a temporary name, then renamed. OSError where it cannot."""
    import xarray

    groups = {"/": xarray.Dataset(attrs=_attributes(result))}
    if result.samples is not None:
        groups |= _sample_groups(result.samples)
    if result.spectra:
        groups |= _spectrum_groups(result)
    part = path.with_name(path.name + ".part")
    xarray.DataTree.from_dict(groups).to_netcdf(part, engine="h5netcdf")
    os.replace(part, path)


def load_result(path: str | Path) -> Result:
    """Read a result; InputError if there is none, it is damaged, or it is no result of anomfit."""
    import xarray

    path = Path(path)
    if not path.is_file():
        raise InputError(f"result: {str(path)!r} is not a file; give a result.nc that a fit has written")
    try:
        with xarray.open_datatree(path, engine="h5netcdf") as opened:
            tree = opened.load()
    except Exception as error:  # HDF5 raises whatever a damaged byte leads it to
        raise InputError(
            f"result: {str(path)!r} is damaged or no NetCDF file; make it again with 'anomfit fit'"
        ) from error
    if tree.attrs.get("anomfit_schema") != SCHEMA:
        raise InputError(f"result: {str(path)!r} was not written by this version of anomfit; make it again")
    try:
        return _result(tree)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"result: {str(path)!r} is incomplete; make it again with 'anomfit fit'") from error


def _attributes(result: Result) -> dict[str, Any]:
    origin = result.provenance
    plain = {"anomfit_schema": SCHEMA, "anomfit_version": origin.versions["anomfit"], "card": origin.card}
    plain |= {"seed": origin.seed, "created": origin.created, "eras": ", ".join(origin.measurements)}
    plain |= {"references": ", ".join(origin.references), "provenance": _to_json(origin)}
    parts = {"fit": result.fit, "hesse": result.hesse, "minos": result.minos or None, "goodness": result.goodness}
    parts["tensions"] = result.tensions or None
    spectra = [
        {"title": s.title, "fitted": s.fitted, "bins": [list(b) for b in s.bins], "name": s.measurement, "era": s.era}
        for s in result.spectra
    ]
    parts["spectra"] = spectra or None
    if result.samples is not None:
        names = ("diagnostics", "settings", "seconds", "sampling_seconds", "complete", "evidence")
        parts["sampling"] = {name: getattr(result.samples, name) for name in names}
    return plain | {name: _to_json(part) for name, part in parts.items() if part is not None}


def _sample_groups(samples: Samples) -> dict[str, Any]:
    import xarray

    sides = ("chain", "draw")
    kinds = [("sampled", samples.values), ("derived", samples.derived)]
    posterior = {name: (sides, x, {"kind": kind}) for kind, table in kinds for name, x in table.items()}
    stats = {name: (sides, x) for name, x in samples.stats.items()}
    shape = {"chain": np.arange(samples.z.shape[0]), "draw": np.arange(samples.z.shape[1])}
    normal = {"z": ((*sides, "coordinate"), samples.z)}
    names = {"coordinate": list(samples.values)}
    library = {"nuts": "numpyro", "nested": "nautilus"}[samples.method]
    inference: dict[str, Any] = {"inference_library": library, "sampling_time": samples.seconds}
    if samples.evidence is not None:
        inference["log_evidence"] = samples.evidence.log_evidence
    return {
        "/posterior": xarray.Dataset(posterior, coords=shape, attrs=inference),
        "/sample_stats": xarray.Dataset(stats, coords=shape),
        "/unconstrained_posterior": xarray.Dataset(normal, coords={**shape, **names}),
    }


def _spectrum_groups(result: Result) -> dict[str, Any]:
    import xarray

    observed, constant, predictive = {}, {}, {}
    for spectrum in result.spectra:
        name = spectrum.full_name
        axis = f"{name} bin"
        observed[name] = (axis, [b.data for b in spectrum.bins])
        for quantity in ("low", "high", "background", "error"):
            constant[f"{name} {quantity}"] = (axis, [getattr(b, quantity) for b in spectrum.bins])
        constant[f"{name} pull"] = (axis, spectrum.pulls)
        for component, signal in spectrum.best_fit.items():
            constant[f"{name} signal {component}"] = (axis, signal)
        if spectrum.predictive is not None:
            predictive[name] = (("chain", "draw", axis), spectrum.predictive)
    groups = {"/observed_data": xarray.Dataset(observed), "/constant_data": xarray.Dataset(constant)}
    return groups | ({"/posterior_predictive": xarray.Dataset(predictive)} if predictive else {})


def _result(tree: Any) -> Result:
    parts = {
        name: json.loads(tree.attrs[name])
        for name in ("provenance", "fit", "hesse", "minos", "goodness", "tensions", "spectra", "sampling")
        if name in tree.attrs
    }
    return Result(
        provenance=_provenance(parts["provenance"]),
        fit=_fit(parts["fit"]) if "fit" in parts else None,
        hesse=_hesse(parts["hesse"]) if "hesse" in parts else None,
        minos=tuple(MinosError(**entry) for entry in parts.get("minos", [])),
        goodness=_goodness(parts["goodness"]) if "goodness" in parts else None,
        tensions=tuple(_tension(entry) for entry in parts.get("tensions", [])),
        samples=_samples(tree, parts["sampling"]) if "sampling" in parts else None,
        spectra=tuple(_spectrum(tree, entry) for entry in parts.get("spectra", [])),
    )


def _samples(tree: Any, meta: dict[str, Any]) -> Samples:
    posterior, settings = tree["posterior"].dataset, dict(meta["settings"])
    tables: dict[str, dict[str, np.ndarray]] = {"sampled": {}, "derived": {}}
    for name, variable in posterior.data_vars.items():
        tables[variable.attrs["kind"]][str(name)] = variable.values
    return Samples(
        values=tables["sampled"],
        derived=tables["derived"],
        z=tree["unconstrained_posterior"]["z"].values,
        stats={str(name): variable.values for name, variable in tree["sample_stats"].dataset.data_vars.items()},
        diagnostics=tuple(Diagnostic(**entry) for entry in meta["diagnostics"]),
        settings=SampleSettings(**{**settings, "tuning": Tuning(**settings["tuning"])}),
        seconds=meta["seconds"],
        sampling_seconds=meta["sampling_seconds"],
        complete=meta["complete"],
        evidence=Evidence(**meta["evidence"]) if meta.get("evidence") else None,
    )


def _spectrum(tree: Any, meta: dict[str, Any]) -> Spectrum:
    name = f"{meta['name']}:{meta['era']}"
    constant, prefix = tree["constant_data"].dataset, f"{name} signal "
    predictive = tree["posterior_predictive"].dataset if "posterior_predictive" in tree.children else {}
    return Spectrum(
        measurement=meta["name"],
        era=meta["era"],
        title=meta["title"],
        bins=tuple(Bin(*entry) for entry in meta["bins"]),
        best_fit={
            str(n).removeprefix(prefix): v.values for n, v in constant.data_vars.items() if str(n).startswith(prefix)
        },
        pulls=constant[f"{name} pull"].values,
        predictive=predictive[name].values if name in predictive else None,
        fitted=meta["fitted"],
    )


def _provenance(meta: dict[str, Any]) -> Provenance:
    listed = {name: tuple(meta[name]) for name in ("measurements", "references")}
    return Provenance(**{**meta, **listed, "coordinates": tuple(FreeCoordinate(**c) for c in meta["coordinates"])})


def _fit(meta: dict[str, Any]) -> Fit:
    return Fit(**{**meta, "optima": tuple(Optimum(**o) for o in meta["optima"])})


def _hesse(meta: dict[str, Any]) -> Hesse:
    arrays = {name: np.array(meta[name], dtype=float) for name in ("covariance", "hessian")}
    flat = tuple(FlatDirection(**f) for f in meta["flat"])
    return Hesse(**{**meta, **arrays, "flat": flat, "names": tuple(meta["names"])})


def _goodness(meta: dict[str, Any]) -> Goodness:
    return Goodness(**{**meta, "measurements": tuple(MeasurementFit(**m) for m in meta["measurements"])})


def _tension(meta: dict[str, Any]) -> Tension:
    return Tension(**{**meta, **{name: Minimum(**meta[name]) for name in ("together", "alone", "others")}})


def _to_json(part: Any) -> str:
    def plain(value: Any):
        if isinstance(value, np.ndarray | np.generic):
            return value.tolist()
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}

    return json.dumps(part, default=plain)
