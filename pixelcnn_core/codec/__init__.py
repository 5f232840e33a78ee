"""Lossless compression with the model's probabilities."""
