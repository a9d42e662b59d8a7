"""A constraint of your own in one file: an upper limit on the kinetic mixing of the dark photon, here a made-up number.

Beside the others:  anomfit constraints docs/examples/my_model.py:dark_photon --with docs/examples/my_limits.py:limit
In a card:          [measurements]  "my_limits.py:limit" = "default"
"""

from my_model import DarkPhoton  # a file beside this one

from anomfit.constraints import About, Constraint
from anomfit.constraints.base import against_upper_limit


def mixing(model, point, nuisances, data):
    """epsilon against its limit; a function of model, physical point, nuisance parameters and the limit's data."""
    return against_upper_limit(point["epsilon"], data["limit"])


limit = Constraint(
    data={"limit": 3e-3},  # at 90 % CL
    about=About(
        name="my-mixing",
        title="A made-up limit on the kinetic mixing",
        quantity="epsilon",
        unit="1",
        kind="upper limit",  # or "measured", "curve", "region", "projection", "no public data"
        era="example",
        source="made up",
        assumption="holds for every mass",
        references=(),
        accepts=(DarkPhoton,),  # what a model must be or have
    ),
    physics=mixing,
)
