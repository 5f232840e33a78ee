"""The browser demo: one file per tab, `service.py` the only bridge to `pixelcnn_core`."""
