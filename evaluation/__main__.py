"""`python -m evaluation TASK`: each published figure, by a command that anyone can repeat."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from core.errors import STOPPED, StreamError

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
    words = list(sys.argv[1:] if words is None else words)
    parser = argparse.ArgumentParser("python -m evaluation", description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    try:
        for name, place in TASKS.items():
            task = tasks.add_parser(name)
            if name in words[:1]:
                module = import_module(place)
                task.description = module.__doc__
                module.arguments(task)
                task.set_defaults(run=module.run)
        options = parser.parse_args(words)
        options.run(options)
    except StreamError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:  # whoever read the table has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
