"""Networks, their export to ONNX, and the bundle format in which they travel to the executors."""
