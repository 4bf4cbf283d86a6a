"""Networks in other tools' forms: ONNX, C projects."""
