"""What is measured: likelihood, sample quality, speed, receptive fields, the race."""
