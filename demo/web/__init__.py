"""The page as a whole: its frame and look, what a request may name, sessions, and the first compilation."""
