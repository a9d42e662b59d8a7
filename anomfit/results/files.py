"""Results on disk: NetCDF that ArviZ and xarray read, with everything needed to repeat the run inside.

Groups posterior, sample_stats, log_likelihood (by measurement), unconstrained_posterior (the sampler's normal
coordinates), posterior_predictive (data thrown at posterior draws, like the observed ones), observed_data and
constant_data follow ArviZ's schema; posterior_signal holds the expected signal of those draws. What has no place there
is JSON in the attributes of the root.
The file ends with its own digest (anomfit.results.seal), which is checked before anything is read.
"""

import io
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from anomfit import __version__
from anomfit.errors import InputError, quoted, shortened
from anomfit.folders import written_whole
from anomfit.inference.compare.exclusions import Exclusions, WithoutLimits
from anomfit.inference.compare.goodness import Goodness
from anomfit.inference.compare.significance import ProjectionFit, Significance
from anomfit.inference.fit.minimise import Fit
from anomfit.inference.fit.minos import MinosError
from anomfit.inference.fit.uncertainties import Hesse
from anomfit.inference.sample.chains import Evidence, Samples, SampleSettings
from anomfit.inference.sample.diagnostics import Diagnostic
from anomfit.measurements.base import Bin
from anomfit.results.plain import from_plain, to_json
from anomfit.results.result import Provenance, Result, Spectrum
from anomfit.results.seal import check_seal, sealed
from anomfit.results.wholeness import is_whole
from anomfit.statistics.tension import Tension
from anomfit.tables.use import TableUse

SCHEMA = 4
AGAIN = "make it again with 'anomfit fit', from the card.toml beside it"


def save_result(path: Path, result: Result) -> None:
    """Write `result` to `path` (NetCDF, sealed): whole under a temporary name, then renamed. OSError if it cannot."""
    import xarray

    groups = {"/": xarray.Dataset(attrs=_attributes(result))}
    if result.samples is not None:
        groups |= _sample_groups(result.samples) | _likelihood_group(result)
    if result.spectra:
        groups |= _spectrum_groups(result)
    content = io.BytesIO()  # not a file: HDF5 answers a full disk by ending the process
    xarray.DataTree.from_dict(groups).to_netcdf(content, engine="h5netcdf")
    with written_whole(path) as part:
        part.write_bytes(sealed(content.getvalue()))


def load_result(path: str | Path) -> Result:
    """Read a result; InputError if there is none, it is damaged, or it is no result of anomfit."""
    import xarray

    path = Path(path)
    if not path.is_file():
        raise InputError(f"result: {quoted(str(path))} is not a file; give a result.nc that a fit has written")
    check_seal(path, AGAIN)
    try:
        with xarray.open_datatree(path, engine="h5netcdf") as opened:
            tree = opened.map_over_datasets(xarray.Dataset.load)  # DataTree.load leaves out what is named as a group
    except Exception as error:  # HDF5 raises whatever it finds
        raise InputError(f"result: {quoted(str(path))} is no NetCDF file; {AGAIN}") from error
    if not _is_of_this_schema(tree.attrs.get("anomfit_schema")):
        raise InputError(f"result: {quoted(str(path))} {_writer(tree.attrs.get('anomfit_version'))}; {AGAIN}")
    try:
        result = _result(tree)
        whole = is_whole(result)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise InputError(f"result: {quoted(str(path))} is incomplete; {AGAIN}") from error
    if not whole:
        raise InputError(f"result: {quoted(str(path))} holds infinite draws or tables that do not fit; {AGAIN}")
    return result


@dataclass(frozen=True)
class _Sampling:
    """What is kept of samples beside their arrays."""

    diagnostics: tuple[Diagnostic, ...]
    settings: SampleSettings
    seconds: float
    sampling_seconds: float
    complete: bool
    evidence: Evidence | None
    undefined: tuple[str, ...]


@dataclass(frozen=True)
class _Heading:
    """What is kept of a spectrum beside its arrays."""

    title: str
    fitted: bool
    bins: tuple[Bin, ...]
    name: str
    era: str


def _is_of_this_schema(schema: object) -> bool:
    return isinstance(schema, int | np.integer) and schema == SCHEMA


def _writer(version: object) -> str:
    if isinstance(version, str) and version != __version__:
        return f"was written by anomfit {shortened(version)}, whose results anomfit {__version__} does not read"
    return f"was not written by anomfit {__version__}"


def _attributes(result: Result) -> dict[str, Any]:
    origin = result.provenance
    plain = {"anomfit_schema": SCHEMA, "anomfit_version": origin.versions["anomfit"], "card": origin.card}
    plain |= {"seed": origin.seed, "created": origin.created, "eras": ", ".join(origin.measurements)}
    plain |= {"references": ", ".join(origin.references), "provenance": to_json(origin)}
    parts = {"fit": result.fit, "hesse": result.hesse, "minos": result.minos or None, "goodness": result.goodness}
    parts |= {"significance": result.significance, "tensions": result.tensions or None}
    parts |= {"exclusions": result.exclusions, "without_limits": result.without_limits}
    parts |= {"projections": result.projections or None, "table": result.table}
    parts["failed"] = result.failed or None
    spectra = [_Heading(s.title, s.fitted, s.bins, s.measurement, s.era) for s in result.spectra]
    parts["spectra"] = spectra or None
    if result.samples is not None:
        kept = {f.name: getattr(result.samples, f.name) for f in fields(_Sampling)}
        parts["sampling"] = _Sampling(**kept)
    return plain | {name: to_json(part) for name, part in parts.items() if part is not None}


def _sample_groups(samples: Samples) -> dict[str, Any]:
    import xarray

    sides = ("chain", "draw")
    kinds = [("sampled", samples.values), ("derived", samples.derived)]
    posterior = {name: (sides, x, {"kind": kind}) for kind, table in kinds for name, x in table.items()}
    stats = {name: (sides, x) for name, x in samples.stats.items()}
    shape = {"chain": np.arange(samples.z.shape[0]), "draw": np.arange(samples.z.shape[1])}
    normal = {"z": ((*sides, "coordinate"), samples.z)}
    names = {"coordinate": list(samples.values)}
    library = {"nuts": "numpyro", "nested": "nautilus", "tempered": "anomfit"}[samples.method]
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

    observed, constant, replicated, signals = {}, {}, {}, {}
    for spectrum in result.spectra:
        name = spectrum.full_name
        axis = f"{name} bin"
        if spectrum.replicas is not None:
            observed[name] = (axis, [b.data for b in spectrum.bins])
            replicated[name] = (("chain", "draw", axis), spectrum.replicas)
        for quantity in ("low", "high", "data", "background", "error"):
            constant[f"{name} {quantity}"] = (axis, [getattr(b, quantity) for b in spectrum.bins])
        constant[f"{name} pull"] = (axis, spectrum.pulls)
        for component, signal in spectrum.best_fit.items():
            constant[f"{name} signal {component}"] = (axis, signal)
        if spectrum.predictive is not None:
            signals[name] = (("chain", "draw", axis), spectrum.predictive)
    groups = {
        "/observed_data": observed,
        "/posterior_predictive": replicated,
        "/posterior_signal": signals,
        "/constant_data": constant,
    }
    return {name: xarray.Dataset(variables) for name, variables in groups.items() if variables}


def _likelihood_group(result: Result) -> dict[str, Any]:
    import xarray

    if result.log_likelihood is None:
        return {}
    table = (("chain", "draw", "measurement"), result.log_likelihood)
    coordinates = {"measurement": list(result.provenance.measurements)}
    return {"/log_likelihood": xarray.Dataset({"measurements": table}, coords=coordinates)}


def _result(tree: Any) -> Result:
    def part(name: str, kind: Any, default: Any = None) -> Any:
        return from_plain(kind, json.loads(tree.attrs[name])) if name in tree.attrs else default

    sampling = part("sampling", _Sampling)
    return Result(
        provenance=from_plain(Provenance, json.loads(tree.attrs["provenance"])),
        fit=part("fit", Fit),
        hesse=part("hesse", Hesse),
        minos=part("minos", tuple[MinosError, ...], ()),
        goodness=part("goodness", Goodness),
        significance=part("significance", Significance),
        exclusions=part("exclusions", Exclusions),
        without_limits=part("without_limits", WithoutLimits),
        projections=part("projections", tuple[ProjectionFit, ...], ()),
        tensions=part("tensions", tuple[Tension, ...], ()),
        table=part("table", TableUse),
        failed=part("failed", tuple[str, ...], ()),
        samples=None if sampling is None else _samples(tree, sampling),
        spectra=tuple(_spectrum(tree, heading) for heading in part("spectra", tuple[_Heading, ...], ())),
        log_likelihood=tree["log_likelihood"]["measurements"].values if "log_likelihood" in tree.children else None,
    )


def _samples(tree: Any, kept: _Sampling) -> Samples:
    posterior = tree["posterior"].dataset
    tables: dict[str, dict[str, np.ndarray]] = {"sampled": {}, "derived": {}}
    for name, variable in posterior.data_vars.items():
        tables[variable.attrs["kind"]][str(name)] = variable.values
    return Samples(
        values=tables["sampled"],
        derived=tables["derived"],
        z=tree["unconstrained_posterior"]["z"].values,
        stats={str(name): variable.values for name, variable in tree["sample_stats"].dataset.data_vars.items()},
        **{f.name: getattr(kept, f.name) for f in fields(kept)},
    )


def _spectrum(tree: Any, heading: _Heading) -> Spectrum:
    name = f"{heading.name}:{heading.era}"
    constant, prefix = tree["constant_data"].dataset, f"{name} signal "
    signals, replicated = (
        tree[group].dataset if group in tree.children else {} for group in ("posterior_signal", "posterior_predictive")
    )
    return Spectrum(
        measurement=heading.name,
        era=heading.era,
        title=heading.title,
        bins=heading.bins,
        best_fit={
            str(n).removeprefix(prefix): v.values for n, v in constant.data_vars.items() if str(n).startswith(prefix)
        },
        pulls=constant[f"{name} pull"].values,
        predictive=signals[name].values if name in signals else None,
        fitted=heading.fitted,
        replicas=replicated[name].values if name in replicated else None,
    )
