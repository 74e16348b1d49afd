"""Labelled pictures in, what the program believes after one look at each out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from core.settings import EvidenceConfig
from core.types import F32, F64, Estimates, Evidence, Faces, Image
from estimators.align import cut
from estimators.evidence import Fusion
from estimators.network import Network, prepare
from estimators.panel import Panel, bare, filled
from evaluation.finder import Finder, boxed
from evaluation.fuse import always_seen
from evaluation.groups import Labels
from evaluation.models import Model
from evaluation.samples import Sample

LEAST_QUALITY = 1e-6  # of a look that counts: where the program would be silent, the networks are judged


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One look at one picture, a row for its face; no row if none was found.

    Attributes:
        faces: where it is.
        said: by the networks.
        races: float64 (1 or 0, K), probabilities in the order of the card; K = 0 without such a card.
    """

    faces: Faces
    said: Estimates
    races: F64


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """N labelled faces and what the program believes about each after one look, row by row.

    Attributes:
        labels: what is true.
        belief: what the program says.
        quality: float64 (N,), 0 to 1.
        races: float64 (N, K), see `Look`.
        missed: labels of the faces that were not found.
    """

    labels: Labels
    belief: Evidence
    quality: F64
    races: F64
    missed: Labels


class Judge:
    """The program's own way from a picture to an answer: detector, cut, quality, networks."""

    def __init__(self, models: Sequence[Model], finder: Finder | None) -> None:
        """Take a network for each role; without a finder each picture is the cut-out face itself."""
        told = [model for model in models if model.role != "race"]
        opened = {model.card.id: Network(model.card, model.session) for model in told}
        self._panel = Panel({model.role: opened[model.card.id] for model in told})
        self._race = next((model for model in models if model.role == "race"), None)
        self._finder = finder

    def look(self, image: Image, points: F32 | None = None) -> Look:
        """Find and judge the face of a picture.

        Args:
            image: uint8 (H, W, 3) BGR.
            points: float32 (5, 2), landmarks that came with it: where nobody looks for the face,
                it is cut out by them instead of being the whole picture.
        """
        whole = self._finder is None and points is None
        if self._finder is not None:
            faces = self._finder.find(image)
        else:
            faces = filled(image) if points is None else boxed(points[None])
        (said,) = self._panel.look_bare([image]) if whole else self._panel.look([(image, faces)])
        return Look(faces, said, self._races(image, faces, whole))

    def _races(self, image: Image, faces: Faces, whole: bool) -> F64:
        """No column of the program's own types: nothing but an evaluation reads this."""
        if self._race is None or len(faces) == 0:
            return np.zeros((len(faces), 0))
        card, session = self._race.card, self._race.session
        crop = card.input.crop()
        crops = prepare(cut(image, faces, bare(crop) if whole else crop), card.input)
        (name,) = (output.name for output in card.outputs if output.role == "race")
        return np.asarray(session.run(crops, [name])[0], np.float64).reshape(len(faces), -1)


def judge(judge: Judge, samples: Iterable[Sample]) -> Judged:
    """Let it look at every sample; one without a picture is missed."""
    found, missed, looks = [], [], []
    for sample in samples:
        look = judge.look(sample.image, sample.landmarks) if sample.image.size else None
        labels = Labels.of([sample])
        if look is not None and len(look.faces):
            found.append(labels)
            looks.append(look)
        else:
            missed.append(labels)
    said = joined([look.said for look in looks])
    races = np.concatenate([look.races for look in looks]) if looks else np.zeros((0, 0))
    quality = said.quality.astype(np.float64)
    return Judged(Labels.join(found), believe(said), quality, races, Labels.join(missed))


def joined(parts: Sequence[Estimates]) -> Estimates:
    """The rows of all, one after the other."""
    parts = parts or [Estimates.none()]
    names = [field.name for field in fields(Estimates)]
    return Estimates(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def believe(said: Estimates) -> Evidence:
    """What the program says of N people after that one look at each."""
    looks = replace(said, quality=np.maximum(said.quality, np.float32(LEAST_QUALITY)))
    return Fusion(EvidenceConfig()).update(always_seen(len(said)), np.arange(len(said)), looks, 0.0)
