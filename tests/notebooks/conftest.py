"""The fixture that runs each notebook once, for all tests that look at the run."""

import pytest
from notebook_runs import NOTEBOOKS, run_once

QUICK = {"01"}  # the others take up to two minutes each
PARAMS = [pytest.param(path, id=path.stem, marks=[] if path.stem[:2] in QUICK else [pytest.mark.slow])
          for path in NOTEBOOKS]


@pytest.fixture(scope="session", params=PARAMS)
def executed(request) -> tuple:
    """One notebook after the other; the session runs each only once, whichever tests ask for it."""
    return run_once(request.param)
