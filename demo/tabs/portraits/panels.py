"""What the Portraits tab shows: the way from a photo to `h`, and the portraits, each with its likeness on a scale.

The way is drawn as it is walked: the photo with the detector's box and landmarks, the chip that the face network sees,
and its 128 numbers as bars, with those of other faces over them: that two people differ is then something to see.
"""

import html

import numpy as np

from demo.kit.panels import enlarge, image_tag
from demo.kit.portrait_panels import jpeg_source
from demo.service.faces import FoundFace

BARS = (512, 132)  # width and height of the drawing of `h`, in its own units
OVERLAID = 3  # further faces drawn over the bars, at most
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


def mean_direction(faces: list[FoundFace]) -> np.ndarray:
    mean = np.mean([face.embedding for face in faces], 0)  # (D,)
    return mean / max(np.linalg.norm(mean), 1e-9)


def bars_html(chosen: list[FoundFace], others: list[FoundFace]) -> str:
    """The numbers of the chosen faces (of several their average) as bars, those of further faces as lines over them."""
    vector = mean_direction(chosen)
    lines = (chosen if len(chosen) > 1 else others)[:OVERLAID]
    step, middle = BARS[0] / len(vector), BARS[1] / 2

    def y(value: float) -> float:
        return middle - np.clip(value / TALLEST, -1, 1) * (middle - 2)

    bars = "".join(f"M{k * step + 0.6:.1f} {middle}V{y(value):.1f}h{step - 1.2:.1f}V{middle}z"
                   for k, value in enumerate(vector))
    paths = []
    for number, face in enumerate(lines):
        steps = "".join(f"V{y(value):.1f}H{(k + 1) * step:.1f}" for k, value in enumerate(face.embedding))
        paths.append(f'<path class="line line-{number}" d="M0 {y(face.embedding[0]):.1f}{steps}"/>')
    name = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} faces, averaged"
    legend = [f'<span class="key bars">{html.escape(name)}</span>']
    for number, face in enumerate(lines):
        words = f"{face.name}: likeness {face.embedding @ vector:.2f}"
        legend.append(f'<span class="key line-{number}">{html.escape(words)}</span>')
    described = f"128 numbers of {name} as bars" + "".join(f", over them {face.name}" for face in lines)
    return (f'<figure class="numbers"><svg viewBox="0 0 {BARS[0]} {BARS[1]}" preserveAspectRatio="none" role="img" '
            f'aria-label="{html.escape(described)}"><path class="axis" d="M0 {middle}H{BARS[0]}"/>'
            f'<path class="bars" d="{bars}"/>{"".join(paths)}</svg><figcaption><b>h</b> 128 numbers that say who it '
            f'is, and all that the portraits are drawn from<br>{" ".join(legend)}</figcaption></figure>')


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


def legend_html(scale: dict | None, of: int = 1) -> str:
    """What the numbers below the portraits mean."""
    chosen = f" Each is the likest of {of} that were drawn." if of > 1 else ""
    words = ("Below each portrait: its <b>likeness</b> to the source, the cosine between the 128 numbers of both.")
    if scale is None:
        return f'<p class="likeness">{words}{chosen}</p>'
    strangers, same = (scale[key] for key in ("two_people", "same_person"))
    return (f'<p class="likeness">{words} Measured on real photos: <span class="key strangers">two strangers '
            f'{strangers[0]:.2f} to {strangers[2]:.2f}</span> <span class="key same">two photos of one person '
            f"{same[0]:.2f} to {same[2]:.2f}</span> (nine pairs of ten).{chosen}</p>")


def portraits_html(images: np.ndarray, name: str, rows_done: int | None = None, alike: list[float] | None = None,
                   scale: dict | None = None, of: int = 1) -> str:
    """New portraits uint8 (n, H, W, 3) of `name`, the last of which is of nobody; `alike` (n,) is their likeness."""
    rows = images.shape[1] if rows_done is None else rows_done
    figures = []
    for k, image in enumerate(images, 1):
        nobody = k == len(images)
        alt = "Without h: nobody in particular" if nobody else f"New portrait {k} of {name}"
        words = "" if alike is None else scale_html(alike[k - 1], scale)
        label = '<span class="who">without h: nobody</span>' if nobody else ""
        figures.append(f'<figure{" class=nobody" if nobody else ""}>{image_tag(enlarge(image[None], rows), alt)}'
                       f"<figcaption>{words}{label}</figcaption></figure>")
    unfinished = " unfinished" * (rows < images.shape[1])
    legend = legend_html(scale, of) if alike is not None else ""
    return f'<div class="nine{unfinished}" data-rows="{rows}">{"".join(figures)}</div>{legend}'
