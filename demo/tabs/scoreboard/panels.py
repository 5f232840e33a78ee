"""The pictures and tables of the Scoreboard that are made from one race of the samplers, or from a quality.json."""

import html
from pathlib import Path

import numpy as np

from demo.kit.model_facts import model_name
from demo.kit.panels import FRONT, image_tag, magnified
from demo.kit.stored import UNREADABLE, read_facts, write_facts
from demo.service.settings import Settings
from demo.tabs.scoreboard.folds import folded
from demo.tabs.scoreboard.sampler_times import SamplerTimes, about, in_seconds
from demo.tabs.scoreboard.service import RaceMoment

SIDE = 256  # pixels on the screen of one image
STORED_RACE = "stored_race.json"


def panel(image: np.ndarray, pixels: int) -> np.ndarray:
    """uint8 (H, W, C) -> RGBA (h, w, 4), enlarged; the pixel that is drawn next is red, later ones are transparent."""
    height, width, _ = image.shape
    rgba = np.zeros((height * width, 4), np.uint8)
    rgba[:pixels, :3] = image.reshape(height * width, -1)[:pixels]
    rgba[:pixels, 3] = 255
    rgba[pixels:pixels + 1] = FRONT
    return magnified(rgba.reshape(height, width, 4), SIDE)


def samplers_html(moment: RaceMoment) -> str:
    """Both samplers side by side: what is drawn, how many evaluations of the network it took, and how long."""
    height, width, _ = moment.naive.shape
    naive = f"{moment.evaluations:,} of {moment.whole:,} runs of the network, {moment.naive_seconds:.2f} s"
    if 0 < moment.evaluations < moment.whole:
        naive += f"; at this pace {moment.naive_whole_seconds:,.1f} s for the whole image"
    cached = "not drawn yet"
    if moment.cached_seconds:
        cached = f"{moment.cached_seconds:.3f} s for the whole image"
        if moment.could_have_drawn > 1:
            cached += f"; it could have drawn about {about(moment.could_have_drawn)} of them by now"
    drawn = height * width if moment.cached_seconds else 0
    figures = [("naive", "Naive", "everything again for every value", panel(moment.naive, moment.pixels), naive),
               ("cached", "Cached", "nothing computed twice", panel(moment.cached, drawn), cached)]
    return '<div class="samplers">' + "".join(
        f'<figure class="{name}"><figcaption><b>{title}</b>: {way}</figcaption>'
        f'{image_tag(picture, f"{title}: {words}")}<p>{words}</p></figure>'
        for name, title, way, picture, words in figures) + "</div>"


def verdict(moment: RaceMoment, stored: bool = False, times: SamplerTimes | None = None) -> str:
    """The result of comparing what both samplers have drawn, in a race of now or one that was stored, and why the
    cached one was that many times as fast; HTML."""
    same = moment.equal == moment.evaluations
    words = (f"Identical: <b>yes</b>, all {moment.evaluations:,} values drawn by both are equal." if same else
             f"Identical: <b>no</b>, {moment.evaluations - moment.equal:,} of {moment.evaluations:,} values "
             "differ: the two add up in another order, and a rounding error tipped a draw.")
    faster = moment.naive_whole_seconds / moment.cached_seconds
    where = "when it was stored" if stored else "just now, on a machine that also serves this page"
    each = about(1000 * moment.naive_whole_seconds / moment.whole)
    return (f"{words} The cached way was <b>about {about(faster)} times</b> as fast {where}: {moment.whole:,} runs of "
            f"the network of {each} ms each, against {about(1000 * moment.cached_seconds)} ms for all of it. "
            f"{beside_photo(moment, times)}").rstrip()


def beside_photo(moment: RaceMoment, times: SamplerTimes | None) -> str:
    """Why another number stands above, which was measured with `times`; empty without one."""
    if times is None:
        return ""
    other = f"{in_seconds(times.naive)} against {in_seconds(times.cached)}, {about(times.faster)} times"
    if times.values > moment.whole:
        return f"A photo has {about(times.values / moment.whole)} times as many values, so more is saved: {other}."
    return f"Measured by itself, with no page to serve, it was {other}."


def write_race(folder: Path, settings: Settings, moment: RaceMoment) -> None:
    """Keep a finished race of the checkpoint in `folder`: the tab opens with it."""
    numbers = {key: getattr(moment, key) for key in ("pixels", "of", "evaluations", "whole", "equal", "naive_seconds",
                                                     "cached_seconds")}
    write_facts(folder, STORED_RACE, label=settings.classes[0], seed=settings.seed, naive=moment.naive.tolist(),
                cached=moment.cached.tolist(), numbers=numbers)


def read_race(folder: Path) -> tuple[str, int, RaceMoment] | None:
    """The class, the seed and the end of the race kept for a checkpoint; None where there is none."""
    try:
        facts = read_facts(folder, STORED_RACE)
        naive, cached = (np.array(facts[key], np.uint8) for key in ("naive", "cached"))
        return str(facts["label"]), int(facts["seed"]), RaceMoment("done", naive, cached, **facts["numbers"])
    except UNREADABLE:
        return None


def quality_html(name: str, quality: dict, strip: str = "") -> str:
    """The tables of a quality.json, those of other settings and of classes behind a fold, and below the first `strip`,
    samples at its settings; empty where it does not hold what `pixelcnn_core quality` writes."""
    try:
        pictures = f'<div class="strip">{strip}</div>' if strip else ""
        more = f'<div class="boards">{curve_table(quality.get("curve", []))}{class_table(quality)}</div>'
        return (f"<div>{headline_table(name, quality)}{pictures}"
                f"{folded('Other settings, and every class', more)}</div>")
    except (KeyError, TypeError, ValueError):
        return ""


def headline_table(name: str, quality: dict) -> str:
    real = quality["real"]
    rows = [("taken for the class asked for", f"{quality['accuracy']:.1%}", f"{quality['accuracy_real']:.1%}"),
            ("Fréchet distance, lower is better", f"{quality['frechet']:.2f}", f"{real['frechet']:.2f}"),
            ("precision: samples among the real images", f"{quality['precision']:.2f}", f"{real['precision']:.2f}"),
            ("recall: real images among the samples", f"{quality['recall']:.2f}", f"{real['recall']:.2f}")]
    body = "".join(f'<tr><th scope="row">{label}</th><td>{ours}</td><td>{best}</td></tr>' for label, ours, best in rows)
    caption = (f"{html.escape(model_name(name))}: {quality['images']:,} samples at temperature "
               f"{quality['temperature']:g}, guidance {quality['guidance']:g} and min-p {quality.get('min_p', 0.0):g}, "
               "beside as many test images")
    return (f'<table class="board"><caption>{caption}</caption><thead><tr><th scope="col"></th>'
            f'<th scope="col">samples</th><th scope="col">real images</th></tr></thead><tbody>{body}</tbody></table>')


def class_table(quality: dict) -> str:
    """Accuracy per class, with a bar each, the best first."""
    shares = sorted(quality["accuracy_per_class"].items(), key=lambda item: -item[1])
    body = "".join(f'<tr><th scope="row">{html.escape(name)}</th><td class="share"><span style="width:{share:.0%}">'
                   f"</span><b>{share:.0%}</b></td></tr>" for name, share in shares)
    return (f'<table class="board shares"><caption>Taken for the class asked for, by class (chance: '
            f'{1 / len(shares):.0%})</caption><tbody>{body}</tbody></table>')


def curve_table(curve: list[dict]) -> str:
    """How temperature, guidance and truncation trade likeness to the class against variety."""
    if not curve:
        return ""
    body = "".join(f'<tr><th scope="row">{point["temperature"]:g}</th><td>{point["guidance"]:g}</td>'
                   f'<td>{point.get("min_p", 0.0):g}</td><td>{point["accuracy"]:.1%}</td>'
                   f'<td>{point["frechet"]:.2f}</td><td>{point["precision"]:.2f}</td>'
                   f'<td>{point["recall"]:.2f}</td></tr>' for point in curve)
    names = ("temperature", "guidance", "min-p", "right class", "Fréchet", "precision", "recall")
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    real = curve[0]["real"]
    return (f'<table class="board"><caption>{curve[0]["images"]:,} samples at each setting; as many real images have '
            f'a Fréchet distance of {real["frechet"]:.2f}</caption><thead><tr>{heads}</tr></thead>'
            f"<tbody>{body}</tbody></table>")
