"""Face prints: vectors that lie close together where two pictures show one person.

They are biometric data. They serve a track to find its face again, live in memory as long as it
does, and are in no result and no output.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.types import F32, Faces, Image
from estimators.align import cut, placement
from estimators.network import Network


class Embedder:
    """One network over the faces that trackers ask about, of all pictures in one batch."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def embed(self, views: Sequence[tuple[Image, Faces]]) -> list[F32]:
        """The face prints of the faces of each picture.

        Args:
            views: a picture (uint8 (H, W, 3) BGR) and the faces in it, at least one.

        Returns:
            for each view float32 (M, D), a row of unit length for each of its faces; NaN where
            neither landmarks nor box tell where the face is.
        """
        crop = self._network.crop
        crops = np.concatenate([cut(image, faces, crop) for image, faces in views])
        found = np.concatenate([np.isfinite(placement(faces, crop)[0]) for _, faces in views])
        vectors = self._network.estimate(crops, np.ones(len(crops), np.float32)).embedding
        vectors = np.where(found[:, None], vectors, np.float32(np.nan))  # else all black, and all alike
        return np.split(vectors, np.cumsum([len(faces) for _, faces in views])[:-1])
