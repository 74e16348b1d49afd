"""SORT as it was published, in frames: its rows, ids and order, faults included."""
