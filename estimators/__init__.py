"""Floor 1: from cut-out faces to looks, and from looks to a steady belief about each track."""
