"""Model cards, and the tables of the README, from the files that the commands wrote."""
