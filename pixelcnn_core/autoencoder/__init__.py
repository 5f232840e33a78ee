"""The PixelCNN auto-encoder of section 3.4."""
