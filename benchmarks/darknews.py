"""DarkNews (a vegas Monte Carlo for heavy neutrinos with a dark photon) against anomfit: interactions and widths.

    python benchmarks/darknews.py reference --out darknews.json [--points NAME ...] [--seeds 5] [--neval 10000]
    python benchmarks/darknews.py compare --reference darknews.json

The first needs DarkNews 0.4.8 and can run in an environment of its own; the second needs anomfit alone. MiniBooNE in
neutrino mode, nu_mu, mineral oil: upscatterings before any decay or efficiency, on C12 as a whole and on protons of C12
and H1; widths of the heavy neutrino. The table has, for each point and number,

    DarkNews   the mean over the seeds, and their relative scatter (standard deviation of one seed)
    anomfit    with its own choices, bound nucleons free, and the ratio of both
    alpha ... form   what that ratio should be, each difference of conventions derived on its own (below)
    aligned    the ratio with all of these divided out; it should be 1 within 1 % or three times the scatter
    exact      the same with DarkNews's own amplitudes integrated by quadrature in place of its Monte Carlo

alpha: DarkNews has e = g sin(theta_W) with g^2 = 8 m_W^2 G_F/sqrt(2) and sin^2(theta_W) on shell, 1 - m_W^2/m_Z^2 at
tree level, so that alpha = sqrt(2) G_F m_W^2 s_W^2/pi = 1/131.94 in place of 1/137.036: 1.0386 in every rate and width
with one vertex e eps. The factor is (its coupling of Z' to the proton or electron)^2/(4 pi alpha(0) eps^2), which also
has 1 + O(m_Z'^2/m_Z^2) from the mixing of Z' and Z.

Z: DarkNews adds the exchange of Z with U_mu j, in size g^2/(2 c_W^2) |U_mu j| [N/2 - (1/2 - 2 s_W^2) Z] (Q^2 +
m_Z'^2)/(m_Z^2 Z e eps g_X V_j3) of the coherent rate, 0.2 to 1.4 % here. The factor is the sum of its diagrams
over its Z' alone. For Majorana states its interference is the same number for both helicities of the heavy neutrino,
each of them -2 times the sum for Dirac states. A massless left-handed nu_mu cannot know whether the other state is
Majorana, and for the helicity that is hardly made the interference exceeds twice the root of the product of both
squares (Schwarz's inequality) a hundred times: the Majorana one is wrong.

beam: its flux is the histogram's between bin centres without a correction of the integral, from the larger of 0.1 GeV
and 1.05 times the threshold; its tonnes of carbon and hydrogen are 12/14 and 2/14 of 818 t over the nuclear masses, and
a bound nucleon has the proton's mass.

form: of C12 a Fourier-Bessel series fitted to electron scattering, in place of Helm's with the measured radius. Radii
agree (2.464 and 2.470 fm), but with a skin of 0.9 fm Helm's square is below it by 0.6, 2, 6 and 16 % at Q of 0.1, 0.15,
0.2 and 0.25 GeV. Of protons the dipole with 0.843 GeV and mu = 2.792.

Neutrons are not aligned but shown on their own: DarkNews multiplies their form factors with the sum of their quark
charges, 0, so that their magnetic moments do not scatter.

Decays: DarkNews has one channel and calls its width the total one, so that all interactions are events. `total_width()`
of an N that decays to a Z' on its shell lacks (m_parent/m_Z')^2 (compare `gamma_Ni_to_Nj_V` with the integral of
`diff_gamma_Ni_to_Nj_V`, which the generator uses and this script takes). In its three-body decays two Majorana states
have the same CP parity, eta = +1.
"""

import argparse
import json
import math
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

HALF = math.sqrt(0.5)
BERTUZZO = {"mzprime": 0.03, "alphaD": 0.25, "alpha_epsilon2": 2e-10}
HEAVY = {"mzprime": 1.25, "alphaD": 0.3, "epsilon": 0.02145}
ONE_LIGHT = {"m4": 0.42, "Umu4": math.sqrt(9e-7), **BERTUZZO}
ONE_HEAVY = {"m4": 0.15, "Umu4": 1e-3, **HEAVY}
TWO_HEAVY = {"m4": 0.1, "m5": 0.15, "Umu4": 0.0, "Umu5": 1e-3, "UD4": HALF, "UD5": HALF, **HEAVY}
TWO_LIGHT = {"m4": 0.1, "m5": 0.42, "Umu4": 0.0, "Umu5": 2e-3, "UD4": 0.02, "UD5": HALF, **BERTUZZO}
POINTS = {
    "3+1 light": ONE_LIGHT,
    "3+1 heavy": ONE_HEAVY,
    "3+2 heavy": TWO_HEAVY,
    "3+2 light": TWO_LIGHT,
    "3+1 medium": {"m4": 0.3, "Umu4": 5e-4, "mzprime": 0.7, "alphaD": 0.2, "epsilon": 0.01},
    "3+2 apart": {**TWO_HEAVY, "m4": 0.0742, "m5": 0.1456, "UD4": 0.9, "UD5": 0.36, "Umu5": 4e-3, "alphaD": 0.32},
    "3+1 lighter": {"m4": 0.15, "Umu4": 1e-3, "mzprime": 0.06, "alphaD": 0.1, "epsilon": 1e-4},
}  # in DarkNews's words; each is run with Dirac and with Majorana states
CHANNELS = ("coherent C12", "p-el C12", "p-el H1")
TONNES, E_BINS = 818.0, np.arange(0.025, 9.0, 0.05)


def main() -> None:
    """One of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("reference")
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--points", nargs="*", default=list(POINTS), choices=list(POINTS))
    run.add_argument("--seeds", type=int, default=5)
    run.add_argument("--neval", type=int, default=10_000)
    with_anomfit = commands.add_parser("compare")
    with_anomfit.add_argument("--reference", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "reference":
        reference(arguments)
    else:
        sys.exit(compare(json.loads(arguments.reference.read_text())))


# -- DarkNews -------------------------------------------------------------------------------------------------------


def reference(arguments) -> None:
    """Run DarkNews and write its numbers; the file grows point by point."""
    found = {"neval": arguments.neval, "points": {}}
    for name in arguments.points:
        for kind in ("dirac", "majorana"):
            found["points"][f"{name}, {kind}"] = one_point({**POINTS[name], "HNLtype": kind}, arguments, found)
            arguments.out.write_text(json.dumps(found, indent=1))


def one_point(model: dict, arguments, found: dict) -> dict:
    """Numbers of one point: by seed from the Monte Carlo, and from quadrature of the same amplitudes."""
    runs = [one_run(model, seed, arguments.neval) for seed in range(1, arguments.seeds + 1)]
    launcher = launch(model, 1, arguments.neval)
    if "detector" not in found:
        found.update(darknews_choices(launcher))
    entry = {"model": model, **physical(launcher), "runs": runs, "quadrature": quadrature(launcher)}
    seconds = [run["seconds"] for run in runs]
    print(f"{model}: {np.median(seconds):.1f} s a run, {np.median([r['adapting'] for r in runs]):.1f} s of it adapting")
    print({key: np.mean([run["made"][key] for run in runs]) for key in runs[0]["made"]}, flush=True)
    return entry


def launch(model: dict, seed: int, neval: int):
    """A generator of DarkNews at one point."""
    from DarkNews.GenLauncher import GenLauncher

    scope = {"experiment": "miniboone_fhc", "nu_flavors": ["nu_mu"], "decay_product": "e+e-"}
    quiet = {"pandas": False, "loglevel": "ERROR", "path": tempfile.mkdtemp()}
    return GenLauncher(**model, **scope, **quiet, neval=neval, seed=seed)


def one_run(model: dict, seed: int, neval: int) -> dict:
    """Upscatterings by channel, by both of its weights, the width it samples, and the time without imports."""
    import vegas

    own, adapting = vegas.Integrator, [0.0]

    class Timed(own):
        def __call__(self, *args, **kwargs):
            start = time.perf_counter()
            result = super().__call__(*args, **kwargs)
            adapting[0] += (time.perf_counter() - start) * (kwargs.get("neval") != neval)
            return result

    vegas.Integrator = Timed  # DarkNews looks it up there
    start, cpu = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        events = launch(model, seed, neval).run()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    vegas.Integrator = own
    made, rate = dict.fromkeys(CHANNELS, 0.0), dict.fromkeys(CHANNELS, 0.0)
    for (target, regime), part in events.groupby(["target", "scattering_regime"]):
        key = f"{regime} {str(target).removeprefix('proton_in_')}"
        made[key] += float(part["w_flux_avg_xsec"].sum().item())
        rate[key] += float(part["w_event_rate"].sum().item())
    (flight,) = (float(value) for key, value in events.attrs.items() if key.endswith("ctau0"))
    took = {"seconds": seconds, "cpu_seconds": cpu, "adapting": adapting[0]}
    return {"seed": seed, "made": made, "rate": rate, "ctau_cm": flight, **took}


def physical(launcher) -> dict:
    """Masses and couplings as DarkNews has them; V of the light state and N_j, and of N_j and what it decays to."""
    from DarkNews import pdg

    model, case = launcher.bsm_model, launcher.gen_cases[0]
    parent = pdg.get_HNL_index(case.nu_upscattered)
    to_light = case.nu_outgoing == pdg.nulight
    decay = case.decay_case.Dih if to_light else model.d_aj[pdg.get_HNL_index(case.nu_outgoing), parent]
    return {
        "m_parent": float(case.decay_case.m_parent),
        "m_daughter": float(case.decay_case.m_daughter),
        "m_Zprime": float(model.mzprime),
        "alpha_D": float(model.gD**2 / (4.0 * math.pi)),
        "epsilon": float(model.epsilon),
        "V_production": abs(float(model.d_aj[1, parent] / model.gD)),
        "V_decay": abs(float(decay / model.gD)),
        "charge_proton": float(model.dprotonV),
        "charge_electron": float(model.deV),
    }


def darknews_choices(launcher) -> dict:
    """What does not depend on the point: flux, numbers of targets, form factors."""
    detector = launcher.experiment
    flux = detector.neutrino_flux(launcher.projectiles[0])
    carbon, momentum = launcher.gen_cases[0].ups_case.target, np.linspace(1e-4, 2.0, 4001)
    number = {key: float(value) for key, value in detector.NUMBER_OF_TARGETS.items()}
    form = carbon.F1_EM(momentum**2)
    return {
        "detector": {"pot": float(detector.POTS), "targets": number},
        "flux": {"energy": flux.x.tolist(), "per_cm2_pot_gev": flux.y.tolist(), "lowest": float(detector.ERANGE[0])},
        "carbon": {"momentum": momentum.tolist(), "form": form.tolist()},
    }


def quadrature(launcher) -> dict:
    """DarkNews's own cross sections and widths without Monte Carlo: all of its diagrams, and Z' alone."""
    made = {"all": dict.fromkeys(CHANNELS, 0.0), "Zprime": dict.fromkeys(CHANNELS, 0.0)}
    for case in launcher.gen_cases:
        key = f"{case.scope['scattering_regime']} {case.nuclear_target.name}"
        both = integrated(case)
        for diagrams, found in made.items():
            found[key] += both[diagrams]
    decay = launcher.gen_cases[0].decay_case
    return {"made": made, "width": {"all": width(decay, ["total"]), "Zprime": width(decay, ["KinMix_SQR"])}}


def integrated(case) -> dict[str, float]:
    """Interactions of one channel and helicity: Gauss-Legendre in log Q^2 and, between the flux's knots, in energy."""
    from DarkNews import amplitudes, phase_space

    process = case.ups_case
    M, m, flux = process.target.mass, process.m_ups, case.experiment.neutrino_flux(case.nu_projectile)
    low = max(case.experiment.ERANGE[0], 1.05 * process.Ethreshold)
    total = {"all": 0.0, "Zprime": 0.0}
    for energy, weight in zip(*between(low, 9.0), strict=True):
        limits = (f(energy, m, M) for f in (phase_space.upscattering_Q2min, phase_space.upscattering_Q2max))
        x, w = legendre(80, *(math.log(limit) for limit in limits))
        q_squared, s = np.exp(x), M**2 + 2.0 * energy * M
        u = 2.0 * M**2 + m**2 - s + q_squared
        place = [np.full_like(x, s), -q_squared, u]
        section = amplitudes.upscattering_dxsec_dQ2(place, process, diagrams=["all"])
        for diagrams, name in (("all", "total"), ("Zprime", "KinMix_SQR")):
            total[diagrams] += weight * float(flux(energy)) * float(np.sum(w * q_squared * section[name]))
    number = case.experiment.NUMBER_OF_TARGETS[case.nuclear_target.name] * case.experiment.POTS
    return {diagrams: found * number * process.target_multiplicity for diagrams, found in total.items()}


def width(decay, diagrams: list[str]) -> float:
    """Width of the decay that DarkNews generates, GeV; of Z' on its shell that to N_k Z'."""
    from DarkNews import decay_rates, phase_space

    if decay.vector_on_shell:
        cosine, w = legendre(8, -1.0, 1.0)
        masses = {"mi": decay.m_parent, "mj": decay.m_daughter, "mV": decay.mzprime}
        rate = decay_rates.diff_gamma_Ni_to_Nj_V(cosine, decay.Dih, **masses, HNLtype=decay.HNLtype, h=-1)
        return float(np.sum(w * rate))
    masses = np.array([decay.m_parent, decay.mm, decay.mp, decay.m_daughter])
    log_t, w_t = legendre(
        400, *(math.log(f(*masses)) for f in (phase_space.three_body_tmin, phase_space.three_body_tmax))
    )
    total = 0.0
    cosine, w_c = legendre(4, -1.0, 1.0)
    for t, weight in zip(np.exp(log_t), w_t * np.exp(log_t), strict=True):
        u, w_u = legendre(8, phase_space.three_body_umin(*masses, t), phase_space.three_body_umax(*masses, t))
        angle = 2.0 * np.pi * (np.arange(4) + 0.5) / 4.0
        grid = np.meshgrid(u, cosine, angle, indexing="ij")
        weights = w_u[:, None, None] * w_c[:, None] * (2.0 * np.pi / 4.0)
        place = [np.full_like(grid[0], t), grid[0], np.sum(masses**2) - grid[0] - t, grid[1], grid[2]]
        rate = decay_rates.diff_gamma_Ni_to_Nj_ell_ell(place, decay, diagrams=diagrams)
        total += weight * float(np.sum(weights * rate))
    return total


# -- quadrature -----------------------------------------------------------------------------------------------------


def legendre(n: int, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss-Legendre between two limits."""
    x, w = unit_legendre(n)
    return 0.5 * (low + high) + 0.5 * (high - low) * x, 0.5 * (high - low) * w


@lru_cache
def unit_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Those between -1 and 1."""
    return np.polynomial.legendre.leggauss(n)


def between(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights in energy, bin centre by bin centre: a flux is linear between them."""
    edges = np.concatenate([[low], E_BINS[(low < E_BINS) & (high > E_BINS)], [high]])
    parts = [legendre(6, a, b) for a, b in pairwise(edges)]
    return np.concatenate([x for x, _ in parts]), np.concatenate([w for _, w in parts])


# -- anomfit, and what the ratio should be --------------------------------------------------------------------------


def compare(found: dict) -> int:
    """Print the table; 1 where a ratio is not understood."""
    print(f"DarkNews with neval = {found['neval']}; scatter of one seed")
    names = ("DarkNews", "scatter", "anomfit", "ratio", *FACTORS, "aligned", "exact")
    print(f"{'':34}" + "".join(f"{name:>10}" for name in names))
    wrong, neutrons = 0, {}
    for name, point in found["points"].items():
        ours = anomfit_numbers(point)
        neutrons[name] = ours["neutrons"] / ours["incoherent"]
        check_model(name, point, ours)
        expected = {key: factors(key, point, found) for key in ("coherent", "incoherent", "width")}
        for row, parts in ROWS.items():
            runs, exact = theirs(row, point)
            base, known = sum(ours[part] for part in parts), []
            for last in range(1, len(FACTORS) + 1):
                product = sum(ours[part] * math.prod(expected[part][:last]) for part in parts)
                known.append(product / base / math.prod(known))
            mean, spread = np.mean(runs), np.std(runs, ddof=1) / np.mean(runs) if len(runs) > 1 else math.nan
            aligned, ratio = mean / base / math.prod(known), mean / base
            bad = not abs(aligned - 1.0) < max(0.01, 3.0 * spread)
            wrong += bad
            numbers = f"{mean:10.4g}{100.0 * spread:9.2f}%{base:10.4g}{ratio:10.4f}"
            rest = "".join(f"{x:10.4f}" for x in (*known, aligned, exact / base / math.prod(known)))
            print(f"{name + ', ' + row:34}{numbers}{rest}{'  <--' if bad else ''}", flush=True)
    print("neutrons, which DarkNews leaves out, over protons in anomfit's incoherent interactions:")
    print(", ".join(f"{name} {100.0 * share:.1f} %" for name, share in neutrons.items() if name.endswith("dirac")))
    seconds, adapting = (
        [np.median([run[key] for run in point["runs"]]) for point in found["points"].values()]
        for key in ("seconds", "adapting")
    )
    longest = f"{np.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f})"
    print(f"DarkNews, a run without imports: {longest}, of which it adapts vegas for {np.median(adapting):.1f} s")
    return int(wrong > 0)


def theirs(row: str, point: dict) -> tuple[list[float], float]:
    """A number of DarkNews by seed, and from its amplitudes by quadrature."""
    from anomfit.physics.constants import HBAR_C_CM

    exact = point["quadrature"]
    if row == "width":
        return [HBAR_C_CM / run["ctau_cm"] for run in point["runs"]], exact["width"]["all"]
    keys = {"coherent": CHANNELS[:1], "incoherent": CHANNELS[1:], "events": CHANNELS}[row]
    weight = "rate" if row == "events" else "made"
    return [sum(run[weight][k] for k in keys) for run in point["runs"]], sum(exact["made"]["all"][k] for k in keys)


def anomfit_numbers(point: dict) -> dict[str, float]:
    """Interactions by state with bound nucleons free, those of protons and neutrons apart, and the decay's width."""
    import jax.numpy as jnp

    from anomfit.beams.booster import miniboone_beam
    from anomfit.physics import three_body_decays
    from anomfit.physics.constants import E_CHARGE, M_E
    from anomfit.physics.targets import TargetChoices
    from anomfit.physics.vector_exchange import VectorExchange

    g_X, charge = math.sqrt(4.0 * math.pi * point["alpha_D"]), E_CHARGE * point["epsilon"]
    couplings = (jnp.asarray([x]) for x in (point["m_Zprime"], g_X * point["V_production"], charge))
    form_factors = TargetChoices(bound="none").form_factors({})
    exchange = VectorExchange(jnp.asarray(point["m_parent"]), *couplings, None, form_factors)
    beam = miniboone_beam("numu-only", "neutrino")
    protons = replace(beam, composition=tuple(each for each in beam.composition if each.name != "neutron"))
    (coherent, both), (_, incoherent) = (counter()(exchange, of)[:, 0] for of in (beam, protons))
    masses = (point["m_parent"], point["m_daughter"])
    majorana = point["model"]["HNLtype"] == "majorana"
    g, eta = g_X * point["V_decay"], float(majorana)
    if on_shell(point):
        width = three_body_decays.width_to_neutrino_vector(*masses, point["m_Zprime"], g, eta)
    else:
        width = three_body_decays.width_to_neutrino_leptons(*masses, M_E, point["m_Zprime"], charge * g, eta)
    width = width if majorana else 0.5 * width
    found = {"coherent": coherent, "incoherent": incoherent, "neutrons": both - incoherent, "width": width}
    return {key: float(value) for key, value in found.items()}


@lru_cache
def counter():
    """`interactions`, compiled once a composition."""
    import jax

    from anomfit.rates.interactions import MANY_ENERGIES, interactions

    return jax.jit(lambda exchange, beam: interactions(exchange, beam, MANY_ENERGIES))


def check_model(name: str, point: dict, ours: dict[str, float]) -> None:
    """Say so where the model itself, through its vertices, has other interactions."""
    from anomfit.beams.booster import miniboone_beam

    heavy = "m5" in point["model"]
    made = "5" if heavy else "4"
    run, parameters = of_model(point["model"]["HNLtype"])
    values = dict.fromkeys(parameters, 0.0) | {"m_N4": 5.0, "m_N5": 10.0, "m_N6": 20.0}
    values |= {f"m_N{made}": point["m_parent"], f"V_{made}3": point["V_production"]}
    values |= {key: point[key] for key in ("m_Zprime", "alpha_D", "epsilon")}
    if heavy:
        values |= {"m_N4": point["m_daughter"], "V_54": point["V_decay"]}
    found = run(values, miniboone_beam("numu-only", "neutrino"))
    expected = {"coherent": ours["coherent"], "incoherent": ours["incoherent"] + ours["neutrons"]}
    for state, value in expected.items():
        if not abs(float(found[state][0]) / value - 1.0) < 1e-6:
            print(f"{name}: the model has {float(found[state][0]):.6g} {state}, its exchange {value:.6g}")


@lru_cache
def of_model(kind: str):
    """Compiled interactions of the model by its vertices, and the names of these."""
    import jax

    from anomfit.capabilities import with_targets
    from anomfit.catalogue import find_model
    from anomfit.rates.interactions import interactions_by_state

    model = with_targets(find_model("dark-photon" if kind == "majorana" else "dark-photon-dirac"), {"bound": "none"})
    vertices = model.parametrisations["vertices"]
    run = jax.jit(lambda values, beam: interactions_by_state(model, vertices.to_physical(values), {}, beam))
    return run, [parameter.name for parameter in vertices.parameters]


FACTORS = ("alpha", "Z", "beam", "form")
ROWS = {
    "coherent": ("coherent",),
    "incoherent": ("incoherent",),
    "events": ("coherent", "incoherent"),
    "width": ("width",),
}


def on_shell(point: dict) -> bool:
    """Whether the heavy neutrino decays to a real Z'."""
    return point["m_parent"] - point["m_daughter"] > point["m_Zprime"]


def factors(part: str, point: dict, found: dict) -> tuple[float, ...]:
    """DarkNews over anomfit by FACTORS, for interactions on carbon or protons, or the width."""
    from anomfit.physics.constants import E_CHARGE

    exact = point["quadrature"]
    if part == "width":
        alpha = 1.0 if on_shell(point) else (point["charge_electron"] / (E_CHARGE * point["epsilon"])) ** 2
        return alpha, exact["width"]["all"] / exact["width"]["Zprime"], 1.0, 1.0
    alpha = (point["charge_proton"] / (E_CHARGE * point["epsilon"])) ** 2
    keys = CHANNELS[:1] if part == "coherent" else CHANNELS[1:]
    total, vector = (sum(exact["made"][diagrams][key] for key in keys) for diagrams in ("all", "Zprime"))
    return alpha, total / vector, *beam_and_form(part, point, found)


def beam_and_form(part: str, point: dict, found: dict) -> tuple[float, float]:
    """Factors of the beam with the tonnes of targets, and of form factors, by a quadrature of its own."""
    from anomfit.beams.booster import miniboone_beam
    from anomfit.physics.constants import HBAR_C_FM, M_C12, M_P
    from anomfit.physics.nuclei import nucleus

    beam, flux, detector = miniboone_beam("numu-only", "neutrino"), found["flux"], found["detector"]
    carbon, targets = found["carbon"], detector["targets"]

    def helm(q_squared):
        skin = 0.9
        q = np.sqrt(q_squared) / HBAR_C_FM
        x = q * math.sqrt(5.0 / 3.0 * (nucleus("C12").charge_radius ** 2 - 3.0 * skin**2))
        return 3.0 * (np.sin(x) - x * np.cos(x)) / x**3 * np.exp(-0.5 * (q * skin) ** 2)

    def sachs(squared_mass, moment):
        def of(q_squared):
            dipole = (1.0 + q_squared / squared_mass) ** -2
            return dipole, moment * dipole

        return of

    if part == "coherent":
        mass, number = M_C12, (targets["C12"], 1.0)
        form = (lambda q_squared: np.interp(np.sqrt(q_squared), carbon["momentum"], carbon["form"]), helm)
    else:
        mass, number = M_P, (6.0 * targets["C12"] + targets["H1"], 8.0)
        form = (sachs(0.843**2, 2.792), sachs(0.71, 2.7928473446))
    threshold = point["m_parent"] * (1.0 + 0.5 * point["m_parent"] / mass)
    own = (lambda e: np.interp(e, flux["energy"], flux["per_cm2_pot_gev"]), max(flux["lowest"], 1.05 * threshold))
    ours = (lambda e: np.asarray(beam.flux_at(e))[:, 0], threshold)

    def rate(flux_at, low, form_factor):
        energy, weight = between(low, 9.0)
        section = np.array([cross_section(e, point["m_parent"], point["m_Zprime"], mass, form_factor) for e in energy])
        return float(np.sum(weight * flux_at(energy) * section))

    exposure = number[0] * detector["pot"] / (number[1] * float(beam.exposure[0]))
    with_own, with_ours = rate(*own, form[1]), rate(*ours, form[1])
    return exposure * with_own / with_ours, rate(*own, form[0]) / with_own


def cross_section(energy: float, m: float, m_Zprime: float, M: float, form_factor) -> float:
    """Rosenbluth's with a massive neutrino and unit couplings, without constants; form_factor: F, or (G_E, G_M)."""
    s = M**2 + 2.0 * M * energy
    root = math.sqrt(max((s - (m + M) ** 2) * (s - (m - M) ** 2), 0.0))
    middle = (s - M**2) * (s + m**2 - M**2) / (2.0 * s) - m**2
    high = middle + (s - M**2) * root / (2.0 * s)
    low = m**4 * M**2 / s / high  # of the product of both limits: no cancellation
    x, w = legendre(96, math.log(low + m_Zprime**2), math.log(high + m_Zprime**2))
    q_squared = np.exp(x) - m_Zprime**2
    electric = (2.0 * (s - M**2) - m**2 - q_squared) ** 2 - (4.0 * M**2 + q_squared) * (m**2 + q_squared)
    found = form_factor(q_squared)
    if isinstance(found, tuple):
        (g_e, g_m), tau = found, q_squared / (4.0 * M**2)
        magnetic = (m**2 + q_squared) * (2.0 * q_squared - m**2)
        squared = (g_e**2 + tau * g_m**2) / (1.0 + tau) * electric + g_m**2 * magnetic
    else:
        squared = found**2 * electric
    return float(np.sum(w * squared / (q_squared + m_Zprime**2))) / energy**2


if __name__ == "__main__":
    main()
