"""LSND's spectrum in energy (R_gamma > 10) and in angle (R_gamma > 1): predictions, nothing for a likelihood.

The figures were never published as numbers: the energies are unfolded from the L/E counts, the angles are not public.
"""

from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import eval_legendre

from anomfit.capabilities import PredictsAppearance, Upscatters, over_reactions
from anomfit.data import load_record
from anomfit.detectors import lsnd as detector
from anomfit.measurements import lsnd_common as common
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.lsnd import REFERENCES, SAMPLE
from anomfit.measurements.recoil_pairs import COMPONENTS, RecoilPairChain, pair_moments
from anomfit.measurements.without_data import WithoutData
from anomfit.parameters import Nuisance, Point

ANGLE_WINDOW = (0.036, 0.060)  # GeV
ANGLE_EDGES = np.linspace(-1.0, 1.0, 11)
WAVES = 20  # the direction resolution of 12 degrees leaves 1e-4 of wave 20


@dataclass(frozen=True)
class LsndShape(WithoutData, HasDescription):
    """A distribution that is shown; `angles` (waves, bins) turns moments into bins of cos theta, None for energies."""

    counts: Float[Array, "bins"]
    background: Float[Array, "bins"]
    error: Float[Array, "bins"]
    tags: Float[Array, "2"]  # electron efficiency x photon cut, of events with and without a neutron
    chain: RecoilPairChain
    angles: Float[Array, "waves bins"] | None
    appearance: common.AppearanceSample
    described: Described
    targets: tuple[str, ...]
    nuisances: tuple[Nuisance, ...]  # flux, efficiency, photon, knock-out

    name = "lsnd"
    accepts = (Upscatters, PredictsAppearance)
    samples = frozenset({SAMPLE})
    references = REFERENCES

    def bins(self) -> list[Bin]:
        """What can be shown of the data; NaN where nothing is public."""
        numbers = zip(*(np.asarray(x) for x in (self.counts, self.background, self.error)), strict=True)
        pairs = zip(self.described.labels, numbers, strict=True)
        return [Bin(*label, *(float(x) for x in row)) for label, row in pairs]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Selected pairs by target, or events of appearance."""
        _, efficiency, photon, _ = self.nuisances
        gain = efficiency.value_in(nuisances)
        with_neutron, without = gain * photon.value_in(nuisances) * self.tags[0], gain * self.tags[1]
        if not isinstance(model, Upscatters):
            assert isinstance(model, PredictsAppearance)  # build_problem and predict check it for the user
            sample = self.appearance
            events = model.appearance_probability(point, sample.energy, sample.length) @ sample.events
            return Prediction({"appearance": common.flux_scales(nuisances)[1] * with_neutron * events}, {})
        if self.angles is None:
            counts, made = common.pairs_by_component(model, point, nuisances, self.chain, self.targets)
            return Prediction(common.tagged(counts, with_neutron, without), made)
        knock_out = common.knock_out_nuisance().value_in(nuisances)
        moments = over_reactions(model, point, nuisances, lambda one: pair_moments(one, self.chain, knock_out, WAVES))
        moments = jnp.einsum("s,sclb->cl", common.flux_scales(nuisances), moments)
        counts = {name: moments[COMPONENTS.index(name)] @ self.angles for name in self.targets}
        return Prediction(common.tagged(counts, with_neutron, without), {})


jax.tree_util.register_dataclass(
    LsndShape,
    data_fields=["counts", "background", "error", "tags", "chain", "angles", "appearance"],
    meta_fields=["described", "targets", "nuisances"],
)


def load_energy(pair: str = "sum", targets: str = "all", flavours: str = "numu+numubar") -> LsndShape:
    """Five bins of 8 MeV with R_gamma > 10; the data, unfolded from L/E, are for the eye. Options: load_l_over_e."""
    columns = load_record("lsnd/energy_rgt10_reconstructed").columns
    low, high = 1e-3 * columns["E_lo_MeV"], 1e-3 * columns["E_hi_MeV"]
    background = columns["beam_off"] + columns["nu_bkg_intrinsic_nuebar"] + columns["nu_bkg_other"]
    error = np.hypot(columns["err_stat"], columns["err_unfold"])
    labels = tuple(("E", a, b, "GeV") for a, b in zip(low.tolist(), high.tolist(), strict=True))
    title = "LSND energy of the events with R_gamma > 10 (no public data: unfolded from L/E)"
    about = ("energy", title, labels)
    data = (columns["beam_on"], background, error)
    energy, length, positron, events = common.lsnd_appearance_nodes()
    response = detector.energy_response(positron.reshape(-1), low, high).reshape(*positron.shape, len(low))
    sample = common.appearance_sample(energy, length, events, response)
    return _shape(data, 1, (detector.energy_bins(low, high), None, sample), about, (pair, targets, flavours))


def load_cos_theta(pair: str = "sum", targets: str = "all", flavours: str = "numu+numubar") -> LsndShape:
    """cos theta of the events with R_gamma > 1 and 36 to 60 MeV; no public data. Options as load_l_over_e."""
    nothing = np.full(len(ANGLE_EDGES) - 1, np.nan)
    edges = ANGLE_EDGES.round(12).tolist()
    labels = tuple(("cos theta", a, b, "1") for a, b in pairwise(edges))
    window = np.array(ANGLE_WINDOW[:1]), np.array(ANGLE_WINDOW[1:])
    angles = jnp.asarray(detector.angle_table(ANGLE_EDGES, WAVES))
    response = detector.energy_bins(*window), angles, _appearance_by_angle(*window)
    title = "LSND cos theta of the events with R_gamma > 1, 36 to 60 MeV (no public data)"
    about = ("cos-theta", title, labels)
    return _shape((nothing,) * 3, 0, response, about, (pair, targets, flavours))


def _appearance_by_angle(low: np.ndarray, high: np.ndarray) -> common.AppearanceSample:
    """Positrons in the energy window by cos theta; as many waves as there are nodes in the angle."""
    energy, length, positron, events = common.lsnd_appearance_nodes()
    inside = detector.energy_response(positron.reshape(-1), low, high).reshape(*positron.shape, 1)
    cosine, _ = common.appearance_angles()
    waves = eval_legendre(np.arange(len(cosine)), cosine[:, None])
    return common.appearance_sample(
        energy, length, events, inside * (waves @ detector.angle_table(ANGLE_EDGES, len(cosine)))
    )


def _shape(data, row: int, response, about, options) -> LsndShape:
    table, angles, appearance = response
    pair, targets, flavours = options
    efficiency = load_record("lsnd/experiment").values["electron_efficiency"]
    photons = load_record("lsnd/r_gamma").columns
    tags = [photons["photon_efficiency"][row], photons["accidental_efficiency"][row]]
    era, title, labels = about
    stated = {"data": "none public: it adds nothing to a likelihood", **common.stated_choices(pair, targets, flavours)}
    return LsndShape(
        *(jnp.asarray(numbers) for numbers in data),
        tags=efficiency * jnp.asarray(tags),
        chain=common.lsnd_chain(table, pair, flavours),
        angles=angles,
        appearance=appearance,
        described=Described(era, title, tuple(stated.items()), labels),
        targets=common.check_targets(targets),
        nuisances=common.lsnd_nuisances(),
    )
