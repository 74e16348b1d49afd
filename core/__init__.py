"""Floor 0: types, protocols, settings, errors, geometry, the ONNX session."""
