"""What a converted network must answer to a test pattern, whoever converted it and with what."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.errors import WeightsError
from core.session import open_session
from core.types import Array

# Of each output: mean, standard deviation, first and last value. Noted for retinaface from the
# conversion that equals TensorFlow's own run on photographs, for embed_dlib from the package's own
# code and for faceres_deep from its own graph (TensorFlow.js in plain JavaScript). The networks kept
# in the repository need none: a fresh conversion is compared with them.
GOLDEN = {
    "retinaface": {
        "scores": (0.0004037, 0.00129118, 0.00184389, 4.47717e-06),
        "boxes": (-0.0861925, 1.48109, 1.08358, -1.0204),
        "points": (0.304839, 2.83504, -2.01788, 0.598957),
    },
    "embed_dlib": {"embedding": (-0.181917, 1.348622, -1.386404, 0.0730759)},
    "faceres_deep": {
        "age": (0.01, 0.00775622, 0.0130359, 0.00177387),
        "gender": (0.5, 0.183132, 0.316868, 0.683132),
    },
}
RELATIVE, ABSOLUTE = 1e-3, 1e-5


def prove(name: str, path: Path) -> None:
    """Make sure that a converted network computes what it should.

    Raises:
        WeightsError: it does not.
    """
    if name not in GOLDEN:
        return
    found = figures(path)
    for output, expected in GOLDEN[name].items():
        if not np.allclose(found[output], expected, RELATIVE, ABSOLUTE):
            raise WeightsError(
                f"{name}: the conversion went wrong: it answers {found[output]} as '{output}', expected "
                f"{expected}. Take the versions of requirements/convert.txt."
            )


def figures(path: Path) -> dict[str, tuple[float, ...]]:
    """Mean, standard deviation, first and last value of each output for the test pattern."""
    session = open_session(path, "cpu")
    shape = next(iter(session.inputs.values()))
    answers = session.run(pattern(shape))
    summaries = [(a.mean(), a.std(), a.flat[0], a.flat[-1]) for a in answers]
    return {name: tuple(map(float, row)) for name, row in zip(session.outputs, summaries, strict=True)}


def pattern(shape: tuple[int | str, ...]) -> Array:
    """Whole numbers 0 to 250 in a fixed disorder, float32; free sides are 1, 3, 64 and 96."""
    free = (1, 3, 64, 96)
    sides = [side if isinstance(side, int) else free[i] for i, side in enumerate(shape)]
    return (np.arange(np.prod(sides)) * 97 % 251).reshape(sides).astype(np.float32)
