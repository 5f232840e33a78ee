"""Inpainting, denoising, colouring and super-resolution by one Conditional PixelCNN."""
