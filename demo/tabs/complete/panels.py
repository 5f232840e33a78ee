"""What the Complete tab shows: completions as they appear, in one grid; what raster order can look at; and what was
measured, folded away."""

import html
from collections.abc import Sequence

import numpy as np

from demo.kit.panels import FRONT, SIDE, image_tag

FADED = 50  # opacity of a known pixel that nobody looks at, of 255


def enlarge_rgba(rgba: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 4) -> the same pixels as squares."""
    scale = -(-SIDE // len(rgba))
    return rgba.repeat(scale, 0).repeat(scale, 1)


def opaque(image: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) -> RGBA."""
    return np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])


def unfinished(image: np.ndarray, original: np.ndarray, known: np.ndarray, row: int) -> np.ndarray:
    """An image of which `row` rows are drawn, RGBA: known pixels are in place, missing ones transparent until drawn."""
    drawn = known | (np.arange(len(known)) < row)[:, None]  # (H, W)
    rgba = opaque(np.where(known[..., None], original, image))
    rgba[~drawn] = 0
    if row < len(known):
        rgba[row][~known[row]] = FRONT
    return rgba


def figure(rgba: np.ndarray, caption: str, alt: str, attributes: str = "") -> str:
    return (f"<figure{attributes}>{image_tag(enlarge_rgba(rgba), alt)}<figcaption>{caption}</figcaption></figure>")


def seen_html(image: np.ndarray, known: np.ndarray, sight: np.ndarray) -> str:
    """Raster order: known pixels as strongly as the missing ones can see them."""
    rgba = opaque(image)
    rgba[..., 3] = np.where(known, FADED + (255 - FADED) * sight, 0).round()
    missing, ignored = int((~known).sum()), int((known & (sight == 0)).sum()) if not known.all() else 0
    unseen = f"; {ignored} known pixels below the hole inform none of them" * bool(ignored)
    words = ("Nothing is missing." if not missing else
             f"{missing} pixels are missing. A known pixel is as faint as the share of them that come before it in "
             f"raster order and so cannot see it{unseen}.")
    return f'<div class="seen">{figure(rgba, words, "the known pixels that raster order can see")}</div>'


def everything_html(missing: int, sizes: Sequence[int] = ()) -> str:
    """The restorer and the chain."""
    if sizes:
        words = (f"{missing} pixels are missing. First the picture of {sizes[0]} × {sizes[0]} is completed, in raster "
                 "order and by weights. Each next one sees all of the picture before it, so a missing pixel knows, "
                 "coarsely, what is below it and to the right.")
    else:
        words = ("A small network turns the whole damaged picture into the map <i>s</i>, so every pixel that is drawn "
                 "can look everywhere, above and below.")
    return f'<div class="seen"><p class="legend">{words}</p></div>'


def grid_html(panels: Sequence[np.ndarray], captions: Sequence[str], words: str, busy: bool = False,
              places: Sequence[int] | None = None) -> str:
    """Completions beside each other, RGBA (H, W, 4), each with a caption, and one sentence below all of them.

    places  where each stands by weight: then the visitor may order them so
    """
    figures = "".join(
        figure(rgba, caption, f"completion {k + 1}",
               f' tabindex="0" style="--place:{places[k]}"' if places is not None else ' tabindex="0"')
        for k, (rgba, caption) in enumerate(zip(panels, captions)))
    order = ('<div class="order" role="group" aria-label="Order of the completions">'
             '<button type="button" data-by="drawn" aria-pressed="true">as drawn</button>'
             '<button type="button" data-by="weight" aria-pressed="false">by weight</button></div>'
             if places is not None else "")
    return (f'{order}<div class="completions{" unfinished" * busy}">{figures}</div><p class="legend">{words} '
            "Point at one: it stands in the hole at the left.</p>")


def drawing_html(images: np.ndarray, original: np.ndarray, known: np.ndarray, row: int, words: str) -> str:
    """The grid while it is drawn: uint8 (K, H, W, 3), of which `row` rows are there."""
    panels = [unfinished(image, original, known, row) for image in images]
    return grid_html(panels, [str(k) for k in range(1, len(images) + 1)], words, row < len(known))


def growing_html(images: np.ndarray, original: np.ndarray, known: np.ndarray, words: str) -> str:
    """The grid while a chain draws: uint8 (K, s, s, 3) of any size, in the hole of the original (H, W, 3)."""
    factor = len(original) // images.shape[1]
    images = images.repeat(factor, 1).repeat(factor, 2)
    panels = [opaque(np.where(known[..., None], original, image)) for image in images]
    return grid_html(panels, [str(k) for k in range(1, len(images) + 1)], words, True)


RASTER = ("Completions in raster order, independent of each other: each missing pixel is drawn from "
          "<i>p</i>(<i>x<sub>i</sub></i> | <i>x</i><sub>&lt;<i>i</i></sub>), so the known pixels after it have no say.")
RESTORED = ("Samples of <i>p</i>(<i>x</i> | <i>s</i>), equation 5. Each is one picture that could have been the "
            "original.")
CHAINED = "Completions from coarse to fine. Each is one picture that could have been the original."


def weighted_html(images: np.ndarray, bits: np.ndarray, weights: np.ndarray, effective: float) -> str:
    """Raster order: completions (K, H, W, 3) with their weights (K,), in one grid that can be ordered by them."""
    panels = [opaque(image) for image in images]
    if not bits.any():
        return grid_html(panels, [str(k) for k in range(1, len(images) + 1)],
                         f"{RASTER} No known pixel comes after the hole: there is nothing left to explain, and all "
                         "completions count the same.")
    order = np.argsort(-weights, kind="stable")
    places = np.empty(len(order), int)
    places[order] = np.arange(len(order))
    captions = [f"{k + 1} · <b>{percent(weight)}</b><br>{cost:,.0f} bits"
                for k, (weight, cost) in enumerate(zip(weights, bits))]
    return grid_html(panels, captions, f"{RASTER} Below each its weight: how probable it makes the known pixels after "
                     "the hole, which cost it so many bits. A draw by weight is a draw from <i>p</i>(missing | all "
                     f"known) once there are enough; these are worth <b>{effective:.1f}</b> independent "
                     f"completion{'s' * (effective >= 1.05)} of {len(images)}, the effective sample size.",
                     places=places.tolist())


def percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "< 1 %" if share > 0 else "0 %"


def restored_html(images: np.ndarray, scores: dict[str, tuple[np.ndarray, float | None]], samples: list[float],
                  words: str = RESTORED) -> str:
    """Samples (K, H, W, 3) with their PSNR, and beside each other the original, the mean and the repair without a
    model: name -> (image (H, W, 3), PSNR)."""
    first = grid_html([opaque(image) for image in images], [decibels(score) for score in samples],
                      f"{words} Below each how near it comes to the original where it was missing (PSNR: more is "
                      "nearer).")
    figures = "".join(figure(opaque(image), f"{html.escape(name)}<br><b>"
                             f"{decibels(score) if score is not None else '&nbsp;'}</b>", name, ' tabindex="0"')
                      for name, (image, score) in scores.items())
    return (f'{first}<div class="completions beside">{figures}</div><p class="legend">The mean of the samples is the '
            "best guess in the sense of squared error, and a blur where they disagree; a single sample is sharp and "
            "pays for it in PSNR.</p>")


def decibels(score: float) -> str:
    return f"{score:.1f} dB" if np.isfinite(score) else "exact"


def measured_html(results: dict, images_seen: int, inpainting: dict) -> str:
    """Both measured tables, folded; empty where nothing was measured."""
    tables = inpainting_html(inpainting) + table_html(results, images_seen)
    return (f'<details class="measured"><summary>How good is it? What was measured</summary>{tables}</details>'
            if tables else "")


WAYS = {"coarse to fine": "coarse to fine (chain)", "raster order": "only back (PixelCNN)",
        "restorer": "everything (restorer)", "diffusion": "without a model: smooth filling"}


def inpainting_html(table: dict) -> str:
    """What `evaluate_inpainting` found, the hole in the middle; empty for anything else."""
    try:
        ways = {name: table["ways"][name] for name in WAYS if name in table["ways"]}
        rows = "".join(
            f"<tr><th scope=row>{WAYS[name]}</th><td>{way['psnr_sample']:.1f}</td>"
            f"<td>{way.get('psnr_mean', way['psnr_sample']):.1f}</td><td>{way['class_kept']:.0%}</td>"
            f"<td>{way.get('class_kept_mean', way['class_kept']):.0%}</td></tr>" for name, way in ways.items())
        hole, mean = table["hole"], f"<th>mean of {table['samples']}</th>"
        return (f'<h3>A hole of {hole} × {hole} in the middle</h3><div class="wide"><table><thead><tr><th rowspan=2>It '
                "looks</th><th colspan=2>PSNR in dB</th><th colspan=2>Class kept</th></tr><tr><th>one</th>"
                f"{mean}<th>one</th>{mean}</tr></thead><tbody>{rows}</tbody></table></div>"
                f"<p>{verdict(ways)} On {table['images']} CIFAR-10 pictures held out of training; a "
                "class is kept where the classifier gives the completed picture the class of the original, "
                f"and {2 * 50 / table['images'] ** 0.5:.0f} points are within chance. Written by <code>python -m "
                "pixelcnn_core inpainting --data data</code>.</p>")
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return ""


def verdict(ways: dict[str, dict]) -> str:
    """Where the chain beats the simple repair, and where not."""
    if not {"coarse to fine", "diffusion"} <= set(ways):
        return ""
    chain, simple = ways["coarse to fine"], ways["diffusion"]
    sides = {True: [], False: []}
    for name, own, other in (("PSNR of the mean", chain.get("psnr_mean", chain["psnr_sample"]), simple["psnr_sample"]),
                             ("the class kept by one completion", chain["class_kept"], simple["class_kept"])):
        sides[own > other].append(name)
    said = [f"{verb} the simple repair in {' and in '.join(sides[won])}" for won, verb in
            ((True, "beats"), (False, "does not beat")) if sides[won]]
    return f"<b>The chain {', and '.join(said)}.</b>"


def table_html(results: dict, images_seen: int) -> str:
    """The measured table of a restorer's results.json; empty where it was not evaluated."""
    if not results.get("cases"):
        return ""
    rows, wins = [], sum(case["psnr_mean"] > case["psnr_baseline"] for case in results["cases"].values())
    for name, case in results["cases"].items():
        best = max(("psnr_mean", "psnr_baseline"), key=case.__getitem__)
        cells = "".join(f"<td>{f'<b>{case[key]:.1f}</b>' if key == best else f'{case[key]:.1f}'}{extra}</td>"
                        for key, extra in (("psnr_sample", ""), ("psnr_mean", ""),
                                           ("psnr_baseline", f" <small>{html.escape(case['baseline'])}</small>")))
        rows.append(f"<tr><th scope=row>{html.escape(name)}</th>{cells}<td>{case['bits_per_missing_dim']:.2f}</td>"
                    f"<td>{case['bits_per_missing_dim_raster']:.2f}</td></tr>")
    return ('<h3>The restorer, for each damage</h3><div class="wide"><table><thead><tr><th rowspan=2>Damage</th>'
            "<th colspan=3>PSNR in dB</th><th colspan=2>Bits per missing sub-pixel</th></tr><tr><th>one sample</th>"
            f"<th>mean of {results['samples']}</th><th>without a model</th><th>restorer</th>"
            f"<th>raster order</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
            f"<p>On CIFAR-10 test pictures, none of them seen in training: {results['images_drawn']} restored "
            f"{results['samples']} times for PSNR, {results['images']:,} for bits; the better of mean and simple "
            f"repair is bold. The mean is ahead in {wins} of {len(rows)} rows, after training on {images_seen:,} "
            "pictures. Written by <code>python -m pixelcnn_core evaluate demo/assets/restorer --data data</code>.</p>")
