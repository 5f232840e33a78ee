"""Complete: inpainting and denoising."""
