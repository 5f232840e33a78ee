"""The fixture that runs each notebook once, for all tests that look at the run."""

import pytest
from notebook_runs import NOTEBOOKS, run_once


@pytest.fixture(scope="session", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request) -> tuple:
    """One notebook after the other; the session runs each only once, whichever tests ask for it."""
    return run_once(request.param)
