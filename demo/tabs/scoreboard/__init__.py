"""Scoreboard: likelihoods beside the paper's (table 1), the race of the models, and of the samplers."""
