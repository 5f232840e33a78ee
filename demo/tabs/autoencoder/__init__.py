"""Auto-encoder: a picture becomes a few numbers, two decoders make pictures of them (figure 6)."""
