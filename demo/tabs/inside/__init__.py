"""Inside: the distributions of every pixel, and what each of them sees (figures 1 and 2)."""
