"""docs/recipe.md against the library: what the chain written from the page counts; its table, rewritten.

python benchmarks/recipe.py [--write docs/recipe.md]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from marked_tables import put_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

HEADER = "| model and options | component | library | from the page | difference |"


def main() -> None:
    """Count with both and print, or write, the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    found = rows()
    print(HEADER, *("| " + " | ".join(row) + " |" for row in found), sep="\n")
    if arguments.write:
        put_table(arguments.write, "recipe", HEADER, found)


def rows() -> list[list[str]]:
    """Neutrino mode, 200 to 1250 MeV of E_nu^QE, by case and component."""
    import jax
    import jax.numpy as jnp
    from oracles import recipe
    from test_recipe import CASES, WINDOW

    from anomfit.data import data_folder
    from anomfit.measurements.miniboone import load_miniboone

    table = []
    for name, (model, options, chosen) in CASES.items():
        point = {key: jnp.asarray(value) for key, value in model.points["table-I"].items()}
        predict = jax.jit(lambda measurement, model=model, point=point: measurement.predict(model, point, {}).signal)
        library, written = predict(load_miniboone(**options)), recipe.counts(data_folder(), "neutrino", chosen)
        for row, component in enumerate(("coherent", "incoherent")):
            ours, theirs = float(np.sum(library[component][WINDOW])), float(written[row][WINDOW].sum())
            table.append([name, component, f"{ours:.2f}", f"{theirs:.2f}", f"{theirs / ours - 1.0:+.2%}"])
    return table


if __name__ == "__main__":
    main()
