"""Networks as ONNX files: written, and quantized to int8."""
