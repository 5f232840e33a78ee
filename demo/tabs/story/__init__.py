"""Tab "What is a PixelCNN?": the whole idea in eight steps, with one live picture and nothing to compute."""
