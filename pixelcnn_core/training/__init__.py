"""Training: the loop, its state and log, the Muon optimiser, recipes."""
