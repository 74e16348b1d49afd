"""Package files into ONNX. The only users of `onnx` and `h5py` (requirements/convert.txt)."""
