"""The command line, `python -m pixelcnn_core`."""
