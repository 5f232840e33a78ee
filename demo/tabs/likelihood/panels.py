"""What the Likelihood tab shows: the first sentence, sizes and probabilities as bars, the cases to choose from."""

import html
from collections.abc import Sequence

import numpy as np

from demo.kit.panels import enlarge, image_tag
from demo.tabs.likelihood.service import VARIANTS, Reading


def bars_html(rows: Sequence[tuple[str, float, str]], largest: float, marked: str, words: str, label: str) -> str:
    """Rows of (name, value, value in words) as bars, the one called `marked` in red; a sentence below."""
    lines = "".join(
        f'<tr{" class=marked" * (name == marked)}><th scope="row">{html.escape(name)}</th>'
        f'<td class="bar"><span style="width:{100 * min(value / largest, 1):.1f}%"></span></td><td>{said}</td></tr>'
        for name, value, said in rows)
    return f'<table class="bars" aria-label="{html.escape(label)}">{lines}</table><p class="legend">{words}</p>'


def headline_html(reading: Reading, dims: int) -> str:
    """The question, and the answer in bytes."""
    own, png = reading.sizes["this PixelCNN"], reading.sizes["PNG"]
    than = "where PNG needs" if own < png else "and PNG only"
    return ('<p class="question">How surprised is the network by this picture? Dark = surprising.</p>'
            f'<p class="headline">It needs <b>{own:,.0f} bytes</b> {than} <b>{png:,}</b>.</p>'
            f'<p class="status">{reading.bits_per_dim:.2f} bits per dimension: {reading.bits.sum():,.0f} bits instead '
            f"of {8 * dims:,}.</p>")


def sizes_html(sizes: dict[str, float], dims: int) -> str:
    """Bytes of the same image."""
    rows = [(name, size, f"<b>{size:,.0f}</b> bytes<i>{8 * size / dims:.2f} bits/dim</i>")
            for name, size in sizes.items()]
    return bars_html(rows, max(sizes.values()), list(sizes)[-1],
                     "<b>The same picture in bytes, without loss.</b> What the network needs is −log<sub>2</sub> "
                     "<i>p</i>(<i>x</i>) / 8; the file above comes close to it. “All values alike” is 8 bits for each "
                     "sub-pixel. In a PNG this small 57 bytes are its frame.", "Sizes of this image")


CERTAIN = {
    VARIANTS[0]: "It is this sure because the bits of all pixels add up: a few hundred of thousands decide. So sure, "
                 "right or wrong, that the number is no measure of how often it is right.",
    VARIANTS[1]: "Sure even of shuffled pixels, which show nothing: it is only asked <i>which</i> of the classes, "
                 "never whether any.",
    VARIANTS[2]: "One flat colour is none of the classes. It is only asked which of them fits best, never whether any.",
    VARIANTS[3]: "There is no class for digits. It is only asked which of the classes fits best, never whether any.",
    VARIANTS[4]: "There is no class for people. It is only asked which of the classes fits best, never whether any."}


def classes_html(odds: dict[str, float], results: dict, variant: str = VARIANTS[0]) -> str:
    """p(class | x), and why it is so sure."""
    best = max(odds, key=odds.get)
    accuracy, images = results.get("bayes_accuracy"), results.get("bayes_images")
    measured = "How often this is right was not measured for this model."
    if isinstance(accuracy, float) and isinstance(images, int):
        measured = (f"On the first {images:,} test images the likeliest class is the right one for "
                    f"<b>{accuracy:.1%}</b>; guessing would give {1 / len(odds):.0%}.")
    sure = f" {CERTAIN[variant]}" if odds[best] > 0.9 else ""
    return bars_html([(name, p, "over 99.9%" if p > 0.9995 else f"{p:.1%}") for name, p in odds.items()], 1, best,
                     "<b>Which class explains it best?</b> <i>p</i>(class | <i>x</i>) by Bayes’ rule, from the same "
                     f"network told each class in turn.{sure} {measured}", "Probability of each class")


def family_html(images: dict[str, np.ndarray], costs: Sequence[float], chosen: str) -> str:
    """The cases to choose from, uint8 (H, W, 3) by name, with their bits per dimension."""
    figures = "".join(
        f'<button type="button" data-variant="{html.escape(name)}" aria-pressed="{str(name == chosen).lower()}">'
        f"{image_tag(enlarge(image[None], len(image)), '')}<span>{html.escape(name)}<b>{bits:.2f}</b></span></button>"
        for (name, image), bits in zip(images.items(), costs))
    return (f'<div class="family" role="group" aria-label="The picture, or another case">{figures}</div>'
            '<p class="legend"><b>Choose a case.</b> Below each its bits per dimension. Flat colour and smooth '
            "pictures cost fewer bits than photos although they are none: each pixel follows from its neighbours. "
            "Shuffling keeps every colour and takes the neighbours away.</p>")


NAMES = {"raw": "all values alike", "png": "PNG", "png_in_sheets": "PNG, 100 images in one", "webp_lossless": "WebP",
         "webp_in_sheets": "WebP, 100 images in one", "pixelcnn": "this codec, whole file"}


def measured_html(table: dict) -> str:
    """What `python -m pixelcnn_core compress-table` wrote, folded; empty where it did not run."""
    try:
        size, bits, seconds = table["bytes_per_image"], table["bits_per_dim"], table["seconds_per_image"]
        rows = [(name, size[key], f"<b>{size[key]:,.0f}</b> bytes<i>{bits[key]:.2f} bits/dim</i>")
                for key, name in NAMES.items() if key in size]
        over = size["pixelcnn_payload"] - size["ideal"]
        bars = bars_html(rows, size["raw"], NAMES["pixelcnn"],
                         f"<b>Mean over {table['images']:,} test images.</b> Without header and checksums, "
                         f"{table['header_bytes']} bytes, the coder is {over:.1f} bytes above −log<sub>2</sub> "
                         f"<i>p</i>(<i>x</i>). Compressing took {seconds['compress']:.2f} s an image, decompressing "
                         f"{seconds['decompress']:.2f} s ({html.escape(table['hardware'])}).", "Sizes on test images")
        return f'<details class="measured"><summary>The codec on test images, measured</summary>{bars}</details>'
    except (KeyError, TypeError, ValueError):
        return ""


def coded_html(file: bytes, image: np.ndarray, ideal: float, header: int, seconds: float, link: str) -> str:
    """What came of compressing: uint8 (H, W, 3) into `file`, of which `header` bytes are not pixels."""
    grey = bool((image == image[..., :1]).all())
    ideal_words = f"{ideal:,.1f} bytes are −log<sub>2</sub> <i>p</i>(<i>x</i>)"
    if grey:
        ideal_words += "; but all three colours are equal, so one is coded and the others follow"
    return (f'<p class="status"><b>{len(file):,} bytes</b> in {seconds:.1f} s instead of {image.size:,}: '
            f"{header} of header and checksums, {len(file) - header:,} of pixels. {ideal_words}.</p>{link}")


def decoded_html(image: np.ndarray, size: int, seconds: float, link: str) -> str:
    """The image that came out of a file of `size` bytes, uint8 (H, W, 3) or (H, W)."""
    height, width = image.shape[:2]
    colours = image if image.ndim == 3 else image[..., None].repeat(3, 2)
    panel = np.dstack([colours, np.full((height, width), 255, np.uint8)])
    scale = max(1, 224 // max(height, width))
    return (f'<figure class="decoded">{image_tag(panel.repeat(scale, 0).repeat(scale, 1), "the decoded image")}'
            f"<figcaption>{width} × {height} pixels out of {size:,} bytes in {seconds:.1f} s, byte for byte: the "
            f"checksum is right. {link}</figcaption></figure>")
