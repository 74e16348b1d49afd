"""`python -m evaluation TASK`: each published figure, by a command that anyone can repeat."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module

from core.command import ended

# A task is a module with `arguments(parser)` and `run(options)`; imported only when asked for.
TASKS = {
    "age": "evaluation.stills",
    "gender": "evaluation.stills",
    "race": "evaluation.stills",
    "emotion": "evaluation.stills",
    "detect": "evaluation.detect",
    "fuse": "evaluation.fuse",
    "predict": "evaluation.predict",
    "track": "evaluation.track",
    "verify": "evaluation.verify",
    "video": "evaluation.video",
}


def main(words: Sequence[str] | None = None) -> int:
    """Run one task; the exit code. Errors are one sentence on stderr."""
    return ended(partial(_run, list(sys.argv[1:] if words is None else words)))


def _run(words: list[str]) -> None:
    parser = argparse.ArgumentParser("python -m evaluation", description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    for name, place in TASKS.items():
        task = tasks.add_parser(name)
        if name in words[:1]:
            module = import_module(place)
            task.description = module.__doc__
            module.arguments(task)
            task.set_defaults(run=module.run)
    options = parser.parse_args(words)
    options.run(options)


if __name__ == "__main__":
    sys.exit(main())
