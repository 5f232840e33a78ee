"""What the Likelihood tab shows: bits as colours with their scale, sizes and probabilities as bars, images in a row."""

import html
from collections.abc import Sequence

import numpy as np

from demo.kit.panels import enlarge, image_tag

SCALE = 24  # bits of a pixel at the dark end: what it costs where all values are alike
COLOURS = np.array([(252, 243, 224), (240, 196, 130), (214, 122, 66), (158, 52, 44), (70, 16, 40), (16, 4, 22)])


def heat_colours(bits: np.ndarray) -> np.ndarray:
    """Bits per pixel (H, W) -> uint8 (H, W, 3): pale is expected, dark is a surprise of SCALE bits or more."""
    place = np.clip(bits / SCALE, 0, 1) * (len(COLOURS) - 1)
    return np.stack([np.interp(place, np.arange(len(COLOURS)), channel) for channel in COLOURS.T], -1).round().astype(
        np.uint8)


def scale_html() -> str:
    """The legend of the heat map."""
    steps = ", ".join(f"rgb({r} {g} {b})" for r, g, b in COLOURS)
    ticks = "".join(f"<span>{k}{' or more' * (k == SCALE)}</span>" for k in range(0, SCALE + 1, 8))
    return (f'<div class="heat-scale"><div class="heat-bar" style="background: linear-gradient(90deg, {steps})"></div>'
            f'<div class="heat-ticks">{ticks}</div></div>')


def bars_html(rows: Sequence[tuple[str, float, str]], largest: float, marked: str, words: str, label: str) -> str:
    """Rows of (name, value, value in words) as bars, the one called `marked` in red; a sentence below."""
    lines = "".join(
        f'<tr{" class=marked" * (name == marked)}><th scope="row">{html.escape(name)}</th>'
        f'<td class="bar"><span style="width:{100 * min(value / largest, 1):.1f}%"></span></td><td>{said}</td></tr>'
        for name, value, said in rows)
    return f'<table class="bars" aria-label="{html.escape(label)}">{lines}</table><p class="legend">{words}</p>'


def sizes_html(sizes: dict[str, float], dims: int) -> str:
    """Figure 3: bytes of the same image."""
    rows = [(name, size, f"<b>{size:,.0f}</b> bytes<i>{8 * size / dims:.2f} bits/dim</i>")
            for name, size in sizes.items()]
    return bars_html(rows, max(sizes.values()), list(sizes)[-1],
                     "<b>Figure 3.</b> The same image in bytes, without loss. For this PixelCNN it is −log<sub>2</sub> "
                     "<i>p</i>(<i>x</i>) / 8: what the codec below comes close to. “All values alike” is 8 bits for "
                     "each sub-pixel. Of so small a PNG, 57 bytes are its frame.", "Sizes of this image")


def classes_html(odds: dict[str, float], results: dict) -> str:
    """Figure 4: p(class | x)."""
    best = max(odds, key=odds.get)
    accuracy, images = results.get("bayes_accuracy"), results.get("bayes_images")
    measured = "How often this is right was not measured for this model."
    if isinstance(accuracy, float) and isinstance(images, int):
        measured = (f"On the first {images:,} test images the likeliest class is the right one for "
                    f"<b>{accuracy:.1%}</b>; guessing would give {1 / len(odds):.0%}.")
    return bars_html([(name, p, "over 99.9%" if p > 0.9995 else f"{p:.1%}") for name, p in odds.items()], 1, best,
                     "<b>Figure 4.</b> <i>p</i>(class | <i>x</i>) by Bayes’ rule from the same network, asked once for "
                     f"every class, all equally probable at first. {measured} A few hundred bits of thousands make "
                     "it nearly certain, right or wrong.", "Probability of each class")


def family_html(images: dict[str, np.ndarray], costs: Sequence[float], chosen: str) -> str:
    """Figure 5: images in and out of the distribution, uint8 (H, W, 3) by name, with their bits per dimension."""
    figures = "".join(
        f'<figure{" class=chosen" * (name == chosen)}>{image_tag(enlarge(image[None], len(image)), name)}'
        f"<figcaption>{html.escape(name)}<b>{bits:.2f}</b></figcaption></figure>"
        for (name, image), bits in zip(images.items(), costs))
    return (f'<div class="family">{figures}</div><p class="legend"><b>Figure 5.</b> Bits per dimension of other images '
            "under the same model. Flat colour and smooth images cost fewer bits than photos although they are none: "
            "each pixel follows from its neighbours. Shuffling keeps every colour and takes the neighbours away.</p>")


NAMES = {"raw": "all values alike", "png": "PNG", "png_in_sheets": "PNG, 100 images in one", "webp_lossless": "WebP",
         "webp_in_sheets": "WebP, 100 images in one", "pixelcnn": "this codec, whole file"}


def measured_html(table: dict) -> str:
    """Figure 6: what `python -m pixelcnn_core compress-table` wrote; empty where it did not run."""
    try:
        size, bits, seconds = table["bytes_per_image"], table["bits_per_dim"], table["seconds_per_image"]
        rows = [(name, size[key], f"<b>{size[key]:,.0f}</b> bytes<i>{bits[key]:.2f} bits/dim</i>")
                for key, name in NAMES.items() if key in size]
        over = size["pixelcnn_payload"] - size["ideal"]
        return bars_html(rows, size["raw"], NAMES["pixelcnn"],
                         f"<b>Figure 6.</b> Mean over {table['images']:,} test images. Without header and checksums, "
                         f"{table['header_bytes']} bytes, the coder is {over:.1f} bytes above −log<sub>2</sub> "
                         f"<i>p</i>(<i>x</i>). Compressing took {seconds['compress']:.2f} s an image, decompressing "
                         f"{seconds['decompress']:.2f} s ({html.escape(table['hardware'])}).", "Sizes on test images")
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
