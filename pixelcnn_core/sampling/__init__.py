"""Ancestral sampling: its definition, the exact cached sampler, and what one does with explicit noise."""
