"""Networks that give p(x | h): layers, the Gated PixelCNN, what it can be conditioned on, and its rivals."""
