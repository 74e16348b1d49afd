"""Finders of faces: pictures in, boxes with scores and five landmarks out."""

REGISTRY = {
    "yunet": "detectors.yunet:YuNet",
    "retinaface": "detectors.retinaface:RetinaFace",
    "scrfd": "detectors.scrfd:Scrfd",
}
