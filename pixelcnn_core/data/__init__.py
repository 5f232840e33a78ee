"""Image data sets as one uint8 tensor."""
