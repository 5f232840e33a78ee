"""Portraits: from a photo to an aligned face, to its vector, and how like the drawn faces are."""
