"""Portraits: new portraits of the person in a photo (figure 4)."""
