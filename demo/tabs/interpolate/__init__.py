"""Interpolate: from one person or class to another, with the same noise (figure 5)."""
