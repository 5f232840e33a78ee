"""Classes: samples of chosen classes (figure 3 of the paper)."""
