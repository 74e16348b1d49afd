"""The demo: a film of real faces, made on the spot, that knows whose face is where.

    from capture.demo import Demo, truth

`truth(index)` gives the faces of frame `index`; its time is `index / FPS`.
"""

from capture.demo.film import FPS, FRAMES, SIZE
from capture.demo.source import Demo, truth
from capture.demo.truth import TrueFace

__all__ = ["FPS", "FRAMES", "SIZE", "Demo", "TrueFace", "truth"]
