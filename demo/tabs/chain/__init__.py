"""Coarse to fine: one picture at all its sizes, super-resolution, and a mosaic to paint."""
