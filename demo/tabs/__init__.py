"""A room a tab: `tab.py` has ID, TITLE and build(page, service); beside it its panels and its questions to the core."""
