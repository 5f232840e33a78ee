"""The first compilation, before the first visitor needs it: minutes on a new machine, seconds after that.

It runs in the background once the page answers, and outside the turns: a visitor who comes earlier is served, and waits
for what is not compiled yet.
"""

import logging
import threading
import time

from demo.kit.pictures import PICTURES, bundled
from demo.service.bridge import Service
from demo.service.settings import NO_CLASS, UserError
from demo.tabs.likelihood.service import LikelihoodService
from pixelcnn_core.codec.codec import compress, decompress

log = logging.getLogger(__name__)


def warm_up(service: Service) -> threading.Thread:
    """Load every model, and compile the sampler and the codec."""
    thread = threading.Thread(target=work, args=[service], name="warm-up", daemon=True)
    thread.start()
    return thread


def work(service: Service) -> None:
    begun = time.monotonic()
    log.info("Compiling the sampler; the page is open, the first pictures may take a little longer.")
    for name in service.names:
        for guidance in (1.0, 2.0):
            step(lambda n=name, g=guidance: first_row(service, n, g))
    step(lambda: code(service))
    log.info("Compiled and loaded after %.0f seconds.", time.monotonic() - begun)


def step(action) -> None:
    try:
        action()
    except UserError as error:
        log.warning("%s", error)


def first_row(service: Service, name: str, guidance: float) -> None:
    settings = service.settings(name, classes=[NO_CLASS], images=1, guidance=guidance)
    rows = service.rows(service.model(name), settings)
    next(rows)
    rows.close()


def code(service: Service) -> None:
    """A small picture through the codec: the compiled code is the same for one of any size."""
    likelihood = LikelihoodService(service)
    if likelihood.model_name and PICTURES:
        model = service.model(likelihood.model_name)
        decompress(model, compress(model, bundled(next(iter(PICTURES)))[:2, :2]))
