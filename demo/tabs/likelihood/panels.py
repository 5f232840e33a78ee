"""What the Likelihood tab shows: the first sentence, sizes and probabilities as bars, the cases to choose from."""

import html
from collections.abc import Sequence

import numpy as np

from demo.kit.panels import enlarge, image_tag, opaque
from demo.tabs.likelihood.service import PNG_PIXELS, VARIANTS, Reading


def bars_html(rows: Sequence[tuple[str, float, str]], largest: float, marked: str, words: str, label: str,
              above: str = "") -> str:
    """Rows of (name, value, value in words) as bars, the one called `marked` in red; HTML above, a sentence below."""
    lines = "".join(
        f'<tr{" class=marked" * (name == marked)}><th scope="row">{html.escape(name)}</th>'
        f'<td class="bar"><span style="width:{100 * min(value / largest, 1):.1f}%"></span></td><td>{said}</td></tr>'
        for name, value, said in rows)
    return f'{above}<table class="bars" aria-label="{html.escape(label)}">{lines}</table><p class="legend">{words}</p>'


def headline_html(reading: Reading) -> str:
    """What the tab is about, and this picture in bytes; it stays, dimmed, while another picture is measured."""
    own, png = reading.sizes["this PixelCNN"], reading.sizes["PNG"]
    than = "A PNG file needs" if own < png else "A PNG file needs only"
    return ('<p class="question">A picture that the network expects makes a small file.</p>'
            f'<p class="headline">This one: <b>{own:,.0f} bytes</b>. {than} <b>{png:,}</b>.</p>')


def bits_html(reading: Reading, dims: int) -> str:
    """The same in bits."""
    return (f'<p class="status">That is {reading.bits.sum():,.0f} bits of {8 * dims:,} raw, or '
            f"{reading.bits_per_dim:.2f} for each of the three colours of a pixel (<i>bits per dimension</i>), told no "
            "class.</p>")


def told_html(results: dict) -> str:
    """What telling the class changes on test images, which the number of the model's facts had; empty if unknown."""
    told, untold = (results.get(key) for key in ("bits_per_dim_test", "bits_per_dim_test_unconditional"))
    if not isinstance(told, (int, float)) or not isinstance(untold, (int, float)):
        return ""
    return (f'<p class="facts">{told:.2f} is told the class of each test image; told no class, as on this tab, it '
            f"needs {untold:.2f}.</p>")


def sizes_html(sizes: dict[str, float], dims: int) -> str:
    """Bytes of the same image."""
    rows = [(name, size, f"<b>{size:,.0f}</b> bytes<i>{8 * size / dims:.2f} bits/dim</i>")
            for name, size in sizes.items()]
    *others, own = sizes
    smaller = [name.partition(",")[0] for name in others if sizes[name] < sizes[own] and name != PNG_PIXELS]
    beaten = ""
    if smaller:
        who = " and ".join(map(html.escape, smaller)) + (" needs" if len(smaller) == 1 else " need")
        beaten = (f'<p class="beaten"><b>Here {who} fewer bytes than the network.</b> '
                  "It has learnt what photos are like, and bets on it; this picture is unlike them.</p>")
    return bars_html(rows, max(sizes.values()), own,
                     "<b>The same picture in bytes, without loss.</b> What the network needs follows from its odds, "
                     "−log<sub>2</sub> <i>p</i> / 8; the file above comes close to it. “All values alike” spends 8 "
                     "bits on each red, green and blue, whatever it is. Of a PNG this small 57 bytes are frame, not "
                     "picture.",
                     "Sizes of this image", beaten)


CERTAIN = {
    VARIANTS[0]: "It is so sure because small differences of all pixels add up: a few hundred bits of thousands "
                 "decide. It is as sure where it is wrong, so the number does not say how often it is right.",
    VARIANTS[1]: "Sure even of shuffled pixels, which show nothing: it is only asked <i>which</i> of the classes, "
                 "never whether any.",
    VARIANTS[2]: "One flat colour is none of the classes. It is only asked which of them fits best, never whether any.",
    VARIANTS[3]: "There is no class for digits. It is only asked which of the classes fits best, never whether any.",
    VARIANTS[4]: "There is no class for people. It is only asked which of the classes fits best, never whether any."}


def classes_html(bits: dict[str, float], odds: dict[str, float], results: dict, variant: str = VARIANTS[0]) -> str:
    """How many bits more the picture takes with each class told than with the best one; above them how often that is
    right, and why it is so sure."""
    order = sorted(bits, key=bits.get)
    best, dearest = order[0], bits[order[-1]] - bits[order[0]]
    accuracy, images = results.get("bayes_accuracy"), results.get("bayes_images")
    measured = "How often this is right was not measured for this model."
    if isinstance(accuracy, float) and isinstance(images, int):
        measured = (f"On the first {images:,} test images the likeliest class is the right one for "
                    f"<b>{accuracy:.1%}</b>; guessing would give {1 / len(odds):.0%}.")
    sure = f" {CERTAIN[variant]}" if odds[best] > 0.9 else ""
    share = "over 99.9%" if odds[best] > 0.9995 else f"{odds[best]:.1%}"
    needs = f"{bits[best]:,.0f} bits"
    if len(order) > 1:
        needs = f"{bits[order[1]] - bits[best]:,.0f} bits less than told “{html.escape(order[1])}”"
    above = (f'<p class="claim">Told <b>“{html.escape(best)}”</b>, it needs {needs}.</p>'
             f'<p class="caveat">{measured}{sure}</p>')
    rows = [(name, bits[name] - bits[best], "the fewest" if name == best else f"+{bits[name] - bits[best]:,.0f} bits")
            for name in order]
    return bars_html(rows, dearest or 1, best,
                     "<b>Which class explains it best?</b> The network is told each class in turn; the bars show how "
                     f"many bits more the picture then takes than with {html.escape(best)}, which by Bayes’ rule has a "
                     f"probability of {share}.", "Bits more than with the best class", above)


def family_html(images: dict[str, np.ndarray], costs: Sequence[float], chosen: str) -> str:
    """The cases to choose from, uint8 (H, W, 3) by name: a question first. Their bits per dimension, the answer and
    whether the guess was right are hidden until one is pressed (`style.css`; the page remembers that as the class
    `told`, and the first one pressed as `guess-0` to `guess-4`)."""
    figures = "".join(
        f'<button type="button" data-variant="{html.escape(name)}" aria-pressed="{str(name == chosen).lower()}">'
        f"{image_tag(enlarge(image[None], len(image)), '')}"
        f"<span>{html.escape(name)}<b>{bits:.2f} bits</b></span></button>"
        for (name, image), bits in zip(images.items(), costs))
    likeliest = min(zip(costs, images))[1]
    guesses = "".join(f'<p class="guessed guessed-{k}">{judged(name, bits, name == likeliest)}</p>'
                      for k, (name, bits) in enumerate(zip(images, costs)))
    told = " told" * (chosen != VARIANTS[0])
    return (f'<div class="guess{told}"><p class="question">Which of these five does the network find likeliest? '
            '<button type="button" class="answer-button">Show the answer</button></p>'
            f'{guesses}<p class="answer"><b>The likeliest is {html.escape(likeliest)}</b>: {chance(min(costs))}.</p>'
            f'<div class="family" role="group" aria-label="The picture, or another case">{figures}</div>'
            '<p class="legend answer">Bits for one colour value, told no class. Flat colour and smooth pictures '
            "cost fewer than photos although they are none: each pixel follows from its neighbours. Shuffling keeps "
            "every colour and takes the neighbours away.</p>"
            '<p class="legend unanswered">Press the one you think; its map and its bits come up.</p></div>')


def judged(name: str, bits: float, right: bool) -> str:
    """What a guess is told; HTML."""
    if right:
        return f"<b>Right.</b> You guessed {html.escape(name)}."
    return f"<b>Not this one.</b> You guessed {html.escape(name)}: {chance(bits)}."


def chance(bits: float) -> str:
    """The probability that so many bits for a value are. Of many values it is the geometric mean."""
    share = 100 * 2 ** -bits
    digits = f"{share:.0f}" if share >= 10 else f"{share:.2g}"
    return f"{bits:.2f} bits, a probability of {digits}&nbsp;% for a colour value on average"


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
                         f"<b>Mean over {table['images']:,} test images, told no class.</b> Without header and "
                         f"checksums, {table['header_bytes']} bytes, the coder is {over:.1f} bytes above "
                         f"−log<sub>2</sub> <i>p</i>(<i>x</i>). Compressing took {seconds['compress']:.2f} s an image, "
                         f"decompressing {seconds['decompress']:.2f} s ({html.escape(table['hardware'])}).",
                         "Sizes on test images")
        return f'<details class="measured"><summary>The codec on test images, measured</summary>{bars}</details>'
    except (KeyError, TypeError, ValueError):
        return ""


def coded_html(file: bytes, image: np.ndarray, decoded: np.ndarray, ideal: float, header: int, seconds: float,
               link: str) -> str:
    """What came of compressing, uint8 (H, W, 3) into `file`, of which `header` bytes are not pixels, and of decoding
    that, (H, W, 3) or (H, W)."""
    grey = bool((image == image[..., :1]).all())
    ideal_words = f"The network’s odds promised {ideal:,.1f} (−log<sub>2</sub> <i>p</i>(<i>x</i>) / 8)"
    if grey:
        ideal_words += "; but all three colours are equal, so one is coded and the others follow"
    again = decoded if decoded.ndim == 3 else decoded[..., None]
    differ = int((again != image).any(-1).sum()) if again.shape[:2] == image.shape[:2] else image[..., 0].size
    return (f'<p class="status"><b>{len(file):,} bytes</b> in {seconds:.1f} s instead of {image.size:,}. '
            f"Of these {len(file) - header:,} are the picture; {header} say which model wrote it and how large it is, "
            f"and hold two checksums that find damage. {ideal_words}.</p>"
            f'<p class="again"><b>Decoded again: {"not " * bool(differ)}identical, {differ:,} pixels differ.</b></p>'
            f"{link}")


def decoded_html(image: np.ndarray, size: int, seconds: float, link: str) -> str:
    """The image that came out of a file of `size` bytes, uint8 (H, W, 3) or (H, W)."""
    height, width = image.shape[:2]
    panel = opaque(image if image.ndim == 3 else image[..., None].repeat(3, 2))
    scale = max(1, 224 // max(height, width))
    return (f'<figure class="decoded">{image_tag(panel.repeat(scale, 0).repeat(scale, 1), "the decoded image")}'
            f"<figcaption>{width} × {height} pixels out of {size:,} bytes in {seconds:.1f} s, byte for byte: the "
            f"checksum is right. {link}</figcaption></figure>")
