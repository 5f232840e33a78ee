"""What the Portraits tab shows: the way from a photo to `h`, and the portraits, each with its likeness on a scale.

The way is drawn as it is walked: the photo with the detector's box and landmarks, the chip that the face network sees,
and its 128 numbers as bars, with what differs in another face below them.
"""

import html

import numpy as np

from demo.kit.panels import enlarge, figure_html, jpeg_source
from demo.service.faces import YOURS, FoundFace, average

BARS = (512, 132)  # width and height of the drawing of `h`, in its own units
COMPARED = 3  # further faces below the bars, at most
TALLEST = 0.3  # entries of a unit vector of 128 numbers are below this, nearly always
LOW, HIGH = 0.7, 1.0  # the part of the scale of likeness that faces use


def way_html(found: list[FoundFace], chosen: list[FoundFace], others: list[FoundFace]) -> str:
    """Photo, chip and bars of the chosen faces; `others` are drawn beside, to compare with.

    Of several photos the last chosen face's is shown; where it holds several faces, each box is a button with the
    number of its face in `data-face` (the chooser listens, see `face_chips.js`).
    """
    if not chosen:
        return '<div class="way empty"><p>Choose at least one face.</p></div>'
    shown = chosen[-1]
    return (f'<div class="way">{photo_html(shown, found, chosen)}{ARROW}{chip_html(shown)}{ARROW}'
            f"{bars_html(chosen, others)}</div>")


ARROW = '<span class="to" aria-hidden="true">→</span>'


def photo_html(shown: FoundFace, found: list[FoundFace], chosen: list[FoundFace]) -> str:
    here = [(k, face) for k, face in enumerate(found or [shown], 1) if face.photo is shown.photo]
    height, width = shown.photo.shape[:2]
    boxes = []
    for k, face in here:
        left, top, right, bottom = face.box
        place = (f'style="left:{left:.2%};top:{top:.2%};width:{right - left:.2%};height:{bottom - top:.2%}"')
        picked = any(face is one for one in chosen)
        if len(found) > 1:
            boxes.append(f'<button type="button" class="box" data-face="{k}" aria-pressed="{str(picked).lower()}" '
                         f'aria-label="Face {k}" {place}><span>{k}</span></button>')
        else:
            boxes.append(f'<span class="box" {place}></span>')
        if picked:
            boxes += [f'<i style="left:{x:.2%};top:{y:.2%}"></i>' for x, y in face.landmarks]
    names = shown.name if len(here) == 1 else f"{shown.name}, {len(here)} faces"
    unsure = "" if shown.probability >= 0.95 else f" (the detector is only {shown.probability:.0%} sure)"
    return (f'<figure class="photo" style="--ratio:{width / height:.3f}"><div><img src="{jpeg_source(shown.photo)}" '
            f'alt="{html.escape(names)}">{"".join(boxes)}</div><figcaption><b>{html.escape(names)}</b> '
            f"eyes, nose and mouth are found{unsure}</figcaption></figure>")


def chip_html(face: FoundFace) -> str:
    outside = " What lies outside the photo is mirrored." if face.inside < 0.98 else ""
    return (f'<figure class="chip"><img src="{jpeg_source(face.chip)}" width="150" height="150" '
            f'alt="The face, turned upright and cut out"><figcaption><b>the face</b> turned and cut out, 150 pixels.'
            f"{outside}</figcaption></figure>")


def bars_html(chosen: list[FoundFace], others: list[FoundFace]) -> str:
    """The numbers of the chosen faces (of several their average) as bars; below them, on the same scale, by how much
    those of further faces differ."""
    vector = average(chosen)
    lines = (chosen if len(chosen) > 1 else others)[:COMPARED]
    high = BARS[1] / (1 + len(lines))  # of each band

    def band(values: np.ndarray, number: int, kind: str) -> str:
        step, middle = BARS[0] / len(values), (number + 0.5) * high
        reach = high / 2 - 2
        tops = middle - np.clip(values / TALLEST, -1, 1) * reach
        bars = "".join(f"M{k * step + 0.6:.1f} {middle:.1f}V{top:.1f}h{step - 1.2:.1f}V{middle:.1f}z"
                       for k, top in enumerate(tops))
        return f'<path class="axis" d="M0 {middle:.1f}H{BARS[0]}"/><path class="{kind}" d="{bars}"/>'

    name = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} faces, averaged"
    bands, legend = [band(vector, 0, "bars")], [f'<span class="key bars">{html.escape(name)}</span>']
    for number, face in enumerate(lines):
        bands.append(band(face.embedding - vector, number + 1, f"line line-{number}"))
        words = f"what differs in {face.name}: likeness {face.embedding @ vector:.2f}"
        legend.append(f'<span class="key line-{number}">{html.escape(words)}</span>')
    described = f"128 numbers of {name} as bars" + "".join(f", below what differs in {face.name}" for face in lines)
    return (f'<figure class="numbers"><svg viewBox="0 0 {BARS[0]} {BARS[1]}" preserveAspectRatio="none" role="img" '
            f'aria-label="{html.escape(described)}">{"".join(bands)}</svg><figcaption><b>h</b> 128 numbers that say '
            f'who it is, and all that the portraits are drawn from<br>{" ".join(legend)}</figcaption></figure>')


def on_scale(value: float) -> float:
    """Where a likeness lies on the scale, 0 to 1."""
    return float(np.clip((value - LOW) / (HIGH - LOW), 0, 1))


def scale_html(value: float, scale: dict | None) -> str:
    """One likeness as a number and, where the ranges were measured, as a mark between strangers and the same person."""
    number = f"<b>{value:.2f}</b>"
    if scale is None:
        return number
    bands = "".join(f'<i class="{who}" style="left:{on_scale(scale[key][0]):.1%};'
                    f'width:{on_scale(scale[key][2]) - on_scale(scale[key][0]):.1%}"></i>'
                    for who, key in (("strangers", "two_people"), ("same", "same_person")))
    return f'{number}<span class="scale" aria-hidden="true">{bands}<u style="left:{on_scale(value):.1%}"></u></span>'


def legend_html(alike: list[float], scale: dict | None, of: int = 1) -> str:
    """How many of the likenesses of the portraits (n,) reach what `key_html` names."""
    chosen = f" Each is the most like of {of} that were drawn for its place." if of > 1 else ""
    if scale is None:
        return f'<p class="likeness">{chosen}</p>'
    strangers, same = (scale[key] for key in ("two_people", "same_person"))
    # counted as they are shown, by two digits
    past = sum(round(value, 2) > round(strangers[2], 2) for value in alike)
    there = sum(round(value, 2) >= round(same[0], 2) for value in alike)
    return (f'<p class="likeness">To the network that judges, <b>{past} of {len(alike)}</b> are more like the photo '
            f"than 95 of 100 strangers are; <b>{there}</b> as like as two photos of one person.{chosen}</p>")


def judge_html(identity: dict | None) -> str:
    """Who judges, and what a second network finds: from the model's results; nothing where they do not hold it."""
    try:
        second, people = identity["second"], int(identity["gallery"])
        shares = [f"{100 * one[key]:.0f} %" for one in (identity, second) for key in ("rank1", "rank1_real")]
    except (TypeError, KeyError, ValueError):
        return ""
    return (f'<p class="likeness">A second network, with no part in drawing, finds the right one among {people} people '
            f"for {shares[2]} of portraits, and for {shares[3]} of real photos. The judge here is the network that the "
            f"numbers come from, so it favours them: {shares[0]} of portraits, {shares[1]} of real photos.</p>")


def key_html(scale: dict | None) -> str:
    """What the number and the small scale below each portrait are, with what pairs of real photos reach."""
    words = "Below each, its <b>likeness</b> to the photo"
    if scale is None:
        return f'<p class="dice key-line">{words}, 1 at most.</p>'
    strangers, same = (f"{scale[kind][0]:.2f}–{scale[kind][2]:.2f}" for kind in ("two_people", "same_person"))
    return (f'<p class="dice key-line"><span>{words}:</span> '
            f'<span class="key strangers">two strangers {strangers}</span> <span class="key same">'
            f'<span class="wide">two photos of </span>one person {same}</span></p>')


def given_html(crops: np.ndarray, name: str) -> str:
    """The face that portraits are drawn of, beside them; crops uint8 (n, 64, 64, 3) of one person."""
    words = "" if name == YOURS else "the photo: " if len(crops) == 1 else f"{len(crops)} photos: "
    return figure_html(enlarge(crops, crops.shape[1]), f"The face of {name}, from the photo",
                       f'<span class="who">{words}{html.escape(name)}</span>', " class=given")


def portrait_html(image: np.ndarray, alt: str, rows: int, value: float | None, scale: dict | None, who: str = "",
                  attributes: str = "") -> str:
    """One portrait (H, W, 3), of which `rows` rows are drawn, with its likeness."""
    words = "" if value is None else scale_html(value, scale)
    return figure_html(enlarge(image[None], rows), alt, words + (f'<span class="who">{who}</span>' if who else ""),
                       attributes)


def portraits_html(images: np.ndarray, name: str, rows_done: int | None = None, alike: list[float] | None = None,
                   scale: dict | None = None, of: int = 1, given: np.ndarray | None = None,
                   identity: dict | None = None) -> str:
    """New portraits uint8 (n, H, W, 3) of `name`, the last of which is of nobody; `alike` (n,) is their likeness, and
    `given` are the crops that they are drawn of."""
    rows = images.shape[1] if rows_done is None else rows_done
    figures = [] if given is None else [given_html(given, name)]
    for k, image in enumerate(images, 1):
        nobody = k == len(images)
        alt = "Told nothing about the person" if nobody else f"New portrait {k} of {name}"
        figures.append(portrait_html(image, alt, rows, None if alike is None else alike[k - 1], scale,
                                     "told nothing about the person" * nobody, " class=nobody" * nobody))
    unfinished = " unfinished" * (rows < images.shape[1])
    below = key_html(scale) if alike is not None else ""
    legend = legend_html(alike[:-1], scale, of) + judge_html(identity) if alike is not None else ""
    return f'{below}<div class="nine{unfinished}" data-rows="{rows}">{"".join(figures)}</div>{legend}'


def twins_html(names: tuple[str, str], crops: np.ndarray, portraits: tuple[np.ndarray, np.ndarray],
               judged: tuple[list[float], list[float]], scale: dict | None, identity: dict | None) -> str:
    """Two people with the same random numbers, one above the other: crops (2, 64, 64, 3), portraits (n, H, W, 3)."""
    figures = []
    for name, crop, images, alike in zip(names, crops, portraits, judged):
        figures.append(given_html(crop[None], name))
        figures += [portrait_html(image, f"New portrait {k} of {name}", image.shape[0], value, scale)
                    for k, (image, value) in enumerate(zip(images, alike), 1)]
    words = "<b>Same dice, two people.</b> The same place in both rows has the same random numbers."
    grid = f'<div class="nine twins" data-rows="{portraits[0].shape[1]}">{"".join(figures)}</div>'
    return (f'<p class="dice">{words}</p>{key_html(scale)}{grid}'
            f"{legend_html([*judged[0], *judged[1]], scale)}{judge_html(identity)}")
