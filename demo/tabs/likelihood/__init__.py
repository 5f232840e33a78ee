"""Likelihood: where the bits of a picture are; its class by Bayes' rule; a lossless codec."""
