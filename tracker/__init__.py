"""Keeps one id for each face of a source: SORT, in seconds."""

REGISTRY = {"sort": "tracker.sort:Sort"}
