"""The codec in the Likelihood tab: the shown image becomes a file to download, and such a file an image again."""

import time
from collections.abc import Generator
from contextlib import closing

import gradio as gr
import numpy as np
from gradio.events import Dependency
from PIL import Image

from demo.kit.downloads import download_link
from demo.kit.frames import FRAME_SECONDS
from demo.kit.html_block import html_block
from demo.kit.panels import png_bytes
from demo.kit.picture_chooser import PictureChooser
from demo.kit.run_controls import QUIET, queued, rests, waits
from demo.kit.status import error_status, status_html
from demo.service.settings import UserError
from demo.service.uploads import take_file
from demo.tabs.likelihood import panels
from demo.tabs.likelihood.service import LikelihoodService
from pixelcnn_core.codec.codec import HEADER_BYTES, Steps, read_header

WORDS = r"""### The file itself
A likely value gets a short code, an unlikely one a long code: a *range coder* spends
$-\log_2 p(x_i\mid x_1,\dots,x_{i-1})$ bits on each. Who decodes asks the same network for the same odds, value after
value, and so can follow. For that both must compute the same numbers to the last bit: both run the same sampler step by
step, and the odds are rounded to integers that sum to $2^{24}$. The file names its model by a hash and carries a
checksum of the pixels, so the picture comes back exactly, or not at all."""
PACK = "Pack it into a file"
INVITATION = (f"The network writes the picture as a file of about that many bytes and {HEADER_BYTES} more, which say "
              "what wrote it, and reads it back, pixel for pixel.")
COMPRESSING = "Compressing… The first time the coder is compiled, which takes some seconds."
DECOMPRESSING = "Decompressing…"
AGAIN = "Decoding it again…"
MAX_FILE = 2**20


def codec_panel(likelihood: LikelihoodService, chooser: PictureChooser, variant: gr.Radio, stop: gr.Button
                ) -> list[Dependency]:
    """Buttons and events. `chooser` and `variant` say which image is shown. Returns the events that `stop` cancels."""
    with gr.Column(elem_classes="codec"):
        with gr.Row(elem_classes="toolbar"):
            compress = gr.Button(PACK, variant="primary", elem_id="likelihood-compress")
            upload = gr.UploadButton("Unpack a file", file_types=[".pxcn"], elem_id="likelihood-decompress")
        coded = html_block(status_html(INVITATION), elem_id="likelihood-coded", label="Compressed")
        decoded = html_block(elem_id="likelihood-decoded", label="Decompressed")

    def code(picture, variant):
        begun = time.monotonic()
        try:
            image = likelihood.variant(picture, variant)
            ideal = likelihood.read(image).sizes["this PixelCNN"]
            file = yield from shown(likelihood.compress(image), COMPRESSING)
            spent = time.monotonic() - begun
            decoded = yield from shown(likelihood.decompress(file), AGAIN)
        except UserError as error:
            yield error_status(error)
            return
        link = download_link(file, "image.pxcn", "Download the file")
        yield panels.coded_html(file, image, decoded, ideal, HEADER_BYTES, spent, link)

    def decode(payload):
        """Decode a file that the codec made with this model. Returns, after a progress text, the image as HTML with an
        embedded PNG, or a sentence that says why there is none."""
        begun = time.monotonic()
        try:
            data = take_file(payload, MAX_FILE)
            image = yield from shown(likelihood.decompress(data), DECOMPRESSING)
        except UserError as error:
            yield error_status(error)
            return
        picture = Image.fromarray(np.ascontiguousarray(image))
        if profile := read_header(data).profile:
            picture.info["icc_profile"] = profile  # Pillow writes it into the file
        link = download_link(png_bytes(picture), "decoded.png", "Download PNG")
        yield panels.decoded_html(image, len(data), time.monotonic() - begun, link)

    buttons = [compress, upload]
    packed = compress.click(**waits(coded, COMPRESSING, stop, buttons)).then(
        code, [chooser.picture, variant], coded, preprocess=False, api_visibility="private", **queued(coded))
    unpacked = upload.upload(**waits(decoded, DECOMPRESSING, stop, buttons)).then(
        decode, upload, decoded, preprocess=False, api_name="decompress", **queued(decoded))
    for event in (packed, unpacked):
        event.then(**rests(stop, buttons))
    inviting = {"fn": lambda: status_html(INVITATION), "outputs": coded, **QUIET}
    chooser.then(inviting)
    variant.change(**inviting)
    stop.click(lambda: (*[type(one)(interactive=True) for one in buttons], status_html(INVITATION), ""),
               outputs=[*buttons, coded, decoded], **QUIET)
    return [packed, unpacked]


def shown(steps: Steps, words: str) -> Generator:
    """Run a generator of shares to its end, and return what it returns; on the way yields a line with a bar."""
    last = time.monotonic()
    with closing(steps):
        while True:
            try:
                share = next(steps)
            except StopIteration as end:
                return end.value
            if time.monotonic() - last >= FRAME_SECONDS:
                last = time.monotonic()
                yield status_html(words, share)
