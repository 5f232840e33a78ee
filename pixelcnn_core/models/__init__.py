"""Autoregressive networks that give p(x | h): layers, the Gated PixelCNN, what it is conditioned on, and its rivals."""
