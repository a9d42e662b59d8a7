"""Is there still a point of the dark seesaw that explains everything? Best fits from tempered points, and a figure.

    python benchmarks/accelerator.py --cards --posterior dark-seesaw --points 640 --moves 15 --out today
    python benchmarks/accelerator.py --cards --posterior dark-seesaw-2020 --points 512 --moves 10 --out paper
    python benchmarks/dark_seesaw_answer.py today/dark-seesaw.npz paper/dark-seesaw-2020.npz --out FOLDER

Of each card: a descent by gradient from the best distinct points of its populations (ten minutes on two cores; the ends
are kept in FOLDER and taken from there the next time), what the best one gains over no new physics by measurement, and
every shipped constraint there that is above a tenth of its limit. The figure, FOLDER/answer.png, has the populations'
points in the plane of m_N5 and epsilon with the published points, and MiniBooNE's excess with both best fits.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np

CARDS = ("dark-seesaw", "dark-seesaw-2020")
WORDS = {"dark-seesaw": "today's data", "dark-seesaw-2020": "the paper's data"}
STARTS, ROUNDS = 6, 150
SHOWN = 0.1  # of a limit
NOTE = (
    "Planes: points of tempered populations, distributed as the prior times the likelihood to the power beta (1 unless "
    "stated). They do not agree among themselves, so that no contours are drawn. Best fits: descents by gradient from "
    "the best points. Squares: points of arXiv:2007.11813. Spectrum: MiniBooNE, arXiv:2006.16883, errors of statistics "
    "and of the constrained background; pairs from the detector and from around it, default selection."
)


def main() -> None:
    """Descend, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("states", nargs=2, type=Path, help="of today's card and of the paper's")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    from anomfit.inference.devices import prepare_devices

    prepare_devices(2)
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = [Answer(card, state, arguments.out) for card, state in zip(CARDS, arguments.states, strict=True)]
    for answer in found:
        answer.tell()
    figure = drawn(found)
    figure.savefig(arguments.out / "answer.png", bbox_inches="tight")
    print(arguments.out / "answer.png")


class Answer:
    """One card: its problem, the points of its populations, and where descents from the best of them end."""

    def __init__(self, card: str, state: Path, folder: Path):
        import jax
        import jax.numpy as jnp

        from anomfit.cards import load_card, problem_from_card
        from anomfit.inference.pulls.integrated import with_pulls

        self.card, self.problem = card, problem_from_card(load_card(card))
        with np.load(state) as kept:
            drawn = with_pulls(self.problem, kept["z"].reshape(-1, kept["z"].shape[-1]), jax.random.key(1))
            self.z = drawn.z
            penalty = np.sum(self.z[:, len(self.problem.free) :] ** 2, axis=1)
            self.twice_nll = -2.0 * (kept["looks"].sum(axis=0).ravel() + drawn.log_change) + penalty
            self.beta = kept["beta"]
        values = jax.vmap(lambda z: self.problem.from_normal(z)[0])(jnp.asarray(self.z))
        self.values = {name: np.asarray(x) for name, x in values.items()}
        file = folder / f"{card}.json"
        if not file.is_file():
            part = file.with_suffix(".part")
            part.write_text(json.dumps(self._ends(), indent=1))
            os.replace(part, file)
        self.ends = json.loads(file.read_text())

    @property
    def best(self) -> dict[str, float]:
        """Parameters and pulls of the lowest end."""
        return self.ends[0]["point"]

    def _ends(self) -> list[dict]:
        import jax.numpy as jnp

        from anomfit.inference.compiled import angle_gradients
        from anomfit.inference.coordinates import from_scaled, scaled_at_angles, values_at_angles
        from anomfit.inference.fit.descent import descend
        from anomfit.inference.fit.minuit import polish

        starts = self._starts()
        print(f"{self.card}: {len(starts)} descents of at most {ROUNDS} gradients", flush=True)
        ends, twice_nll = descend(angle_gradients(self.problem, len(starts)), starts, ROUNDS, lambda ended: None)
        order = np.argsort(twice_nll)
        s, lowest, distance, _ = polish(
            self.problem, scaled_at_angles(self.problem, ends[order[:1]])[0], 1e-4, rounds=2
        )
        best = {name: float(x) for name, x in from_scaled(self.problem, s).items()}
        rest = values_at_angles(self.problem, jnp.asarray(ends[order]))
        points = [{name: float(x[i]) for name, x in rest.items()} for i in range(len(order))]
        found = [{"twice_nll": float(lowest), "may_fall": float(distance), "point": best}]
        return found + [
            {"twice_nll": float(x), "point": point} for x, point in zip(twice_nll[order], points, strict=True)
        ]

    def _starts(self) -> np.ndarray:
        """The best points, a tenth of the ranges apart (rms over the parameters), in a minimiser's coordinates."""
        import jax
        import jax.numpy as jnp

        names = [p.name for p in self.problem.free]
        fractions = np.asarray(jax.vmap(self.problem.to_fractions)({n: jnp.asarray(self.values[n]) for n in names}))
        chosen: list[int] = []
        for i in np.argsort(self.twice_nll):
            apart = [np.sqrt(np.mean((fractions[i] - fractions[k]) ** 2)) for k in chosen]
            if len(chosen) < STARTS and min(apart, default=1.0) > 0.1:
                chosen.append(int(i))
        angles = np.arcsin(2.0 * np.clip(fractions[chosen], 1e-6, 1.0 - 1e-6) - 1.0)
        return np.concatenate([angles, self.z[chosen, len(names) :]], axis=1)

    def tell(self) -> None:
        """The best fit, its gains and the constraints there."""
        from anomfit.inference.compare.significance import significance

        names = [p.name for p in self.problem.free]
        gains = significance(self.problem, self.best).gains
        null = sum(gain.null for gain in gains)
        print(f"{self.card}: -2 ln L = {self.ends[0]['twice_nll']:.2f}, without new physics {null:.2f}")
        print("  other ends: ", ", ".join(f"{end['twice_nll']:.2f}" for end in self.ends[2:]))
        print("  ", ", ".join(f"{name} = {self.best[name]:.4g}" for name in names))
        print("   gains: ", ", ".join(f"{g.name} {g.null - g.best:.2f}" for g in gains if abs(g.null - g.best) > 0.05))
        print("   of the limit: ", ", ".join(f"{name} {ratio:.2f}" for name, ratio in self._ratios()))

    def _ratios(self) -> list[tuple[str, float]]:
        import jax
        import jax.numpy as jnp

        from anomfit.capabilities import offers
        from anomfit.catalogue import shipped_constraints

        at = {name: jnp.asarray(x) for name, x in self.best.items()}
        point, nuisances = self.problem.physical_point(at), self.problem.nuisance_values(at)
        model, found = self.problem.model, []
        for row in shipped_constraints():
            if offers(model, row.accepts):
                ratio = jax.jit(lambda p, n, row=row: row.outcome(model, p, n).ratio)(point, nuisances)
                found.append((row.name, float(ratio)))
        return sorted((x for x in found if x[1] > SHOWN), key=lambda x: -x[1])

    def spectrum(self):
        """MiniBooNE: its bins, and the signal at the best fit."""
        import jax.numpy as jnp

        (measurement,) = (m for m in self.problem.measurements if m.name == "miniboone")
        at = {name: jnp.asarray(x) for name, x in self.best.items()}
        prediction = measurement.predict(
            self.problem.model, self.problem.physical_point(at), self.problem.nuisance_values(at)
        )
        return measurement.bins(), np.asarray(prediction.total)


def published() -> dict[str, tuple[float, float]]:
    """m_N5 and epsilon of the paper's points, by name."""
    import jax.numpy as jnp

    from anomfit.models.dark_seesaw import dark_seesaw

    found = {}
    for name, point in dark_seesaw.points.items():
        at = {key: jnp.asarray(float(x)) for key, x in point.items()}
        mixings = dark_seesaw.parametrisations["mixings"].from_physical(at)
        found[name] = float(mixings["m_N6"] * mixings["m_N5_over_m_N6"]), float(mixings["epsilon"])
    return found


def drawn(answers: list[Answer]):
    """The figure."""
    from matplotlib.figure import Figure

    from anomfit.plotting.figures import add_note
    from anomfit.plotting.style import CURVES, styled

    with styled():
        figure = Figure(figsize=(12.0, 4.6), layout="constrained")
        *planes, excess = figure.subplots(1, 3, gridspec_kw={"width_ratios": (1.0, 1.0, 1.1)})
        for ax, answer in zip(planes, answers, strict=True):
            _draw_plane(ax, answer, CURVES)
        _draw_excess(excess, answers, CURVES)
        add_note(figure, NOTE, columns=3)
    return figure


def _draw_plane(ax, answer: Answer, colours) -> None:
    """The populations' points, the best fit and the published points, in m_N5 and epsilon."""
    masses = 1e3 * answer.values["m_N6"] * answer.values["m_N5_over_m_N6"]
    each = len(masses) // len(answer.beta)
    for k, (beta, colour) in enumerate(zip(answer.beta, colours, strict=False)):
        own = slice(k * each, (k + 1) * each)
        label = f"population {k + 1}" + ("" if beta == 1.0 else rf", $\beta$ = {beta:.2f}")
        ax.plot(masses[own], answer.values["epsilon"][own], ".", ms=2.0, color=colour, alpha=0.6, label=label)
    at = 1e3 * answer.best["m_N6"] * answer.best["m_N5_over_m_N6"]
    ax.plot(at, answer.best["epsilon"], "*", ms=11, color="black", ls="none", label="best fit")
    for k, (name, (mass, epsilon)) in enumerate(sorted(published().items(), key=lambda entry: entry[1])):
        ax.plot(
            1e3 * mass, epsilon, "s", ms=4, mfc="white", color="black", label="arXiv:2007.11813" if k == 0 else None
        )
        place = (0, 5 + 9 * (k % 3))
        ax.annotate(name, (1e3 * mass, epsilon), xytext=place, textcoords="offset points", fontsize=6.5, ha="center")
    ax.set(xscale="log", yscale="log", xlabel=r"$m_{N_5}$ [MeV]", ylabel=r"$\epsilon$")
    ax.set(xlim=(5.0, 1000.0), ylim=(2e-5, 0.06), title=f"dark seesaw, {WORDS[answer.card]}")
    ax.legend(loc="lower right", fontsize=6.5, ncols=2)


def _draw_excess(ax, answers: list[Answer], colours) -> None:
    """Data minus background in neutrino mode, and the signals at both best fits."""
    bins, _ = answers[0].spectrum()
    first = next((i for i in range(1, len(bins)) if bins[i].low < bins[i - 1].low), len(bins))
    mode = bins[:first]
    edges = np.array([mode[0].low, *(b.high for b in mode)])
    centre, data = 0.5 * (edges[1:] + edges[:-1]), np.array([b.data - b.background for b in mode])
    errors = np.array([b.error for b in mode])
    width = 1e3 * np.diff(edges)
    ax.errorbar(centre, data / width, errors / width, fmt="o", ms=3, color="black", lw=0.8, label="data - background")
    for answer, colour in zip(answers, colours, strict=False):
        _, signal = answer.spectrum()
        ax.stairs(signal[:first] / width, edges, color=colour, lw=1.4, label=f"best fit, {WORDS[answer.card]}")
    ax.axhline(0.0, color="0.6", lw=0.6)
    ax.set(xlabel=r"$E_\nu^{\rm QE}$ [GeV]", ylabel="events / MeV", xlim=(edges[0], 1.5))
    ax.set(title="MiniBooNE, neutrino mode")
    ax.legend(loc="upper right")


if __name__ == "__main__":
    main()
