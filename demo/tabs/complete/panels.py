"""What the Complete tab shows: completions as they appear, in one grid; what raster order can look at; and what was
measured, folded away."""

import html
from collections.abc import Sequence

import numpy as np

from demo.kit.panels import FRONT, figure_html, magnified, opaque

SEEN = "the known pixels that raster order can see"
FADED = 50  # opacity of a known pixel that nobody looks at, of 255


def unfinished(image: np.ndarray, original: np.ndarray, known: np.ndarray, row: int) -> np.ndarray:
    """An image of which `row` rows are drawn, RGBA: known pixels are in place, missing ones transparent until drawn."""
    drawn = known | (np.arange(len(known)) < row)[:, None]  # (H, W)
    rgba = opaque(np.where(known[..., None], original, image), drawn)
    if row < len(known):
        rgba[row][~known[row]] = FRONT
    return rgba


def seen_html(image: np.ndarray, known: np.ndarray, sight: np.ndarray) -> str:
    """Raster order: known pixels as strongly as the missing ones can see them."""
    rgba = opaque(image)
    rgba[..., 3] = np.where(known, FADED + (255 - FADED) * sight, 0).round()
    missing, ignored = int((~known).sum()), int((known & (sight == 0)).sum()) if not known.all() else 0
    unseen = f"; {ignored} known pixels below the hole inform none of them" * bool(ignored)
    words = ("Nothing is missing." if not missing else
             f"{missing} pixels are missing. The fainter a known pixel, the fewer of them can see it: those that are "
             f"drawn before it cannot{unseen}.")
    return f'<div class="seen">{figure_html(magnified(rgba), SEEN, words)}</div>'


def everything_html(missing: int, sizes: Sequence[int] = ()) -> str:
    """The restorer and the chain."""
    if sizes:
        words = (f"{missing} pixels are missing. First the picture of {sizes[0]} × {sizes[0]} is completed. Each "
                 "larger one sees all of the picture before it, so a missing pixel knows, coarsely, what is below it "
                 "and to the right.")
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
        figure_html(magnified(rgba), f"completion {k + 1}", caption,
                    f' tabindex="0" style="--place:{places[k]}"' if places is not None else ' tabindex="0"')
        for k, (rgba, caption) in enumerate(zip(panels, captions)))
    order = ('<div class="order" role="group" aria-label="Order of the completions">'
             '<button type="button" data-by="drawn" aria-pressed="true">as drawn</button>'
             '<button type="button" data-by="weight" aria-pressed="false">by weight</button></div>'
             if places is not None else "")
    return (f'{order}<div class="completions{" unfinished" * busy}">{figures}</div><p class="legend">{words} '
            "Point at one, or tap it, to see it in the hole.</p>")


def at_rest(result: str, blank: bool = False) -> str:
    """A result that is not of a run: the stored example, or, `blank`, nothing drawn yet. The hole stays a hole."""
    return f'<div class="at-rest{" blank" * blank}">{result}</div>'


def numbered(images: Sequence[np.ndarray]) -> list[str]:
    return [str(k) for k in range(1, len(images) + 1)]


def growing(images: np.ndarray, original: np.ndarray, known: np.ndarray) -> list[np.ndarray]:
    """What a chain draws, uint8 (K, s, s, 3) of any size, in the hole of the original (H, W, 3): as RGBA (H, W, 4)."""
    factor = len(original) // images.shape[1]
    images = images.repeat(factor, 1).repeat(factor, 2)
    return [opaque(np.where(known[..., None], original, image)) for image in images]


def finished(images: np.ndarray) -> list[np.ndarray]:
    """uint8 (K, H, W, 3) -> K of RGBA (H, W, 4)."""
    return [opaque(image) for image in images]


def compared_html(rows: dict[str, list[np.ndarray]], names: dict[str, str]) -> str:
    """Completions of one hole in several ways, {way: RGBA (H, W, 4) each}: a row for each way, with its name."""
    found = []
    for way, images in rows.items():
        figures = "".join(figure_html(magnified(rgba), f"{names[way]}, completion {k}", "", ' tabindex="0"')
                          for k, rgba in enumerate(images, 1))
        found.append(f'<h4 class="way-name">{html.escape(names[way])}</h4><div class="completions">{figures}</div>')
    each = max(map(len, rows.values()), default=0)
    return (f'<div class="compared">{"".join(found)}</div><p class="legend">{each} of each way, with the same hole and '
            f"the same seed. {GOOD_FOR}</p>")


RASTER = ("Each missing pixel is drawn from those above it and to its left. The known pixels after it have no say.")
RESTORED = "Each is one picture that could have been the original."
CHAINED = "Completions from coarse to fine. Each is one picture that could have been the original."


def weighted_html(images: np.ndarray, bits: np.ndarray, weights: np.ndarray, effective: float) -> str:
    """Raster order: completions (K, H, W, 3) with their weights (K,), in one grid that can be ordered by them."""
    panels = [opaque(image) for image in images]
    if not bits.any():
        return grid_html(panels, numbered(images),
                         f"{RASTER} No known pixel comes after the hole: there is nothing left to explain, and all "
                         "completions count the same.")
    order = np.argsort(-weights, kind="stable")
    places = np.empty(len(order), int)
    places[order] = np.arange(len(order))
    captions = [f"{k + 1} · <b>{percent(weight)}</b><br>{cost:,.0f} bits"
                for k, (weight, cost) in enumerate(zip(weights, bits))]
    return grid_html(panels, captions, f"{RASTER} Below each its weight: how probable it makes the known pixels after "
                     "the hole, which cost it so many bits (fewer is better). Drawn by weight, a completion fits all "
                     f"that is known, if there are enough to draw from: these {len(images)} are worth "
                     f"<b>{effective:.1f}</b> that fit (the effective sample size).",
                     places=places.tolist())


def percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "< 1 %" if share > 0 else "0 %"


def restored_html(images: np.ndarray, scores: dict[str, tuple[np.ndarray, float | None]], samples: list[float],
                  words: str = RESTORED) -> str:
    """Samples (K, H, W, 3), and beside each other the original, the mean and the repair without a model: name ->
    (image (H, W, 3), PSNR). How near each comes, `samples` in dB, is folded away: for one that is only plausible it is
    the wrong measure."""
    first = grid_html(finished(images), numbered(images), words)
    figures = "".join(figure_html(magnified(opaque(image)), name, html.escape(name), ' tabindex="0"')
                      for name, (image, _) in scores.items())
    near = [*((name, score) for name, (_, score) in scores.items() if score is not None),
            *((f"completion {k}", score) for k, score in enumerate(samples, 1))]
    numbers = "".join(f"<li>{html.escape(name)}: <b>{decibels(score)}</b></li>" for name, score in near)
    return (f'{first}<div class="completions beside">{figures}</div><p class="legend">{GOOD_FOR}</p><details '
            'class="nearness"><summary>How near each comes to the original</summary><p>PSNR where something was '
            f"missing; more is nearer.</p><ul>{numbers}</ul></details>")


GOOD_FOR = ("A single completion is plausible, and need not be the original; an average is close to the original, and "
            "need not look like a picture.")


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
