"""Tracks in, events out."""
