"""The exact cached sampler: buffers and order of events, one file per backend."""
