"""`python -m training TASK`: cut faces out, train, measure and export our own networks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module

from core.command import ended
from core.errors import ConfigError
from core.session import keep_to_itself

# A task is a module with `arguments(parser)` and `run(options)`; imported only when asked for.
TASKS = {
    "cache": "training.gather",
    "train": "training.train",
    "figures": "training.figures",
    "export": "training.export",
}


def main(words: Sequence[str] | None = None) -> int:
    """Run one task; the exit code. Errors are one sentence on stderr."""
    return ended(partial(_run, list(sys.argv[1:] if words is None else words)))


def _run(words: list[str]) -> None:
    keep_to_itself()
    parser = argparse.ArgumentParser("python -m training", description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True, metavar="{" + ",".join(TASKS) + "}")
    for name in TASKS:
        task = tasks.add_parser(name)
        if name in words[:1]:
            _fill(task, name)
    options = parser.parse_args(words)
    try:
        options.run(options)
    except KeyboardInterrupt:
        print("stopped; what was finished is kept.", file=sys.stderr)
        raise


def _fill(task: argparse.ArgumentParser, name: str) -> None:
    try:
        module = import_module(TASKS[name])
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "onnx"):
            raise
        raise ConfigError(f"training needs the package '{error.name}': make install-train") from error
    task.description = module.__doc__
    module.arguments(task)
    task.set_defaults(run=module.run)


if __name__ == "__main__":
    sys.exit(main())
