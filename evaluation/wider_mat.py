"""Reads the labels of WIDER FACE's validation part as its makers publish them: tables of MATLAB.

Source: shuoyang1213.me/WIDERFACE, "Evaluation": ground_truth/ of eval_tools.zip. `wider_face_val.mat` has
a cell for each event, and in it one for each picture, of event_list and file_list (names) and of
face_bbx_list (a row x, y, w, h for each face); gt_list of `wider_easy_val.mat` and the like has as many, with
the numbers of the rows that count there, the first being 1. A picture is EVENT/NAME.jpg.
"""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from core.errors import ConfigError
from evaluation.layouts.place import Place
from evaluation.widerface import LEVELS, Labels

FACES = "wider_face_val.mat"
TABLES = (FACES, *(f"wider_{level}_val.mat" for level in LEVELS))


def tables(place: Place) -> dict[str, str]:
    """Where each of the tables lies that are there, at any depth; the first of several."""
    found = {PurePosixPath(name).name: name for name in reversed(place.names)}
    return {table: found[table] for table in TABLES if table in found}


def labels(place: Place) -> dict[str, Labels]:
    """The faces of each picture that has any, by its name in the place, or EVENT/NAME.jpg if it is not there.

    The protocol passes over a picture without a face.

    Raises:
        ConfigError: a table is missing, or one that is not understood.
    """
    found = tables(place)
    missing = [table for table in TABLES if table not in found]
    if missing:
        raise ConfigError(
            f"{place.path}: holds labels of WIDER FACE, but not {', '.join(missing)}. "
            "They are in ground_truth of the makers' eval_tools.zip."
        )
    faces, *levels = (_opened(place, name) for name in found.values())
    lies = {"/".join(PurePosixPath(name).parts[-2:]): name for name in place.pictures}
    try:
        pictures = [
            (f"{_word(event)}/{_word(file)}.jpg", boxes, rows)
            for event, files, found_there, *counting in zip(
                *(_cells(faces[key]) for key in ("event_list", "file_list", "face_bbx_list")),
                *(_cells(level["gt_list"]) for level in levels),
                strict=True,
            )
            for file, boxes, *rows in zip(*map(_cells, (files, found_there, *counting)), strict=True)
        ]
        return {lies.get(name, name): _labels(boxes, rows) for name, boxes, rows in pictures if boxes.size}
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise ConfigError(
            f"{place.path}: its tables of WIDER FACE do not hold what they should, or not of the same "
            f"pictures ({type(error).__name__}: {error})."
        ) from error


def _opened(place: Place, name: str) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        table: dict[str, Any] = loadmat(io.BytesIO(place.bytes(name)))
    except Exception as error:  # bytes that are no table fail in whatever way
        raise ConfigError(f"{place.path}/{name}: cannot be read as a table of MATLAB.") from error
    return table


def _cells(table: Any) -> list[Any]:
    if table.dtype != object:
        raise ValueError("expected cells")
    return list(table.ravel())


def _word(cell: Any) -> str:
    return str(cell.item())


def _labels(boxes: Any, rows: list[Any]) -> Labels:
    sides = np.asarray(boxes, np.float64).reshape(-1, 4)
    counted = {level: np.zeros(len(sides), bool) for level in LEVELS}
    for level, numbers in zip(LEVELS, rows, strict=True):
        places = np.asarray(numbers, np.int64).ravel()
        if not ((places >= 1) & (places <= len(sides))).all():
            raise IndexError(f"of {len(sides)} faces of a picture, one counts in {level} that is not there")
        counted[level][places - 1] = True
    return Labels.of_sides(sides, counted)
