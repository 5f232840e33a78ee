"""About: how to read the page, and its limits."""
