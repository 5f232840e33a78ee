"""What the Complete tab shows: where raster order can look, completions as they appear, restorations and their PSNR."""

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


def figure(rgba: np.ndarray, caption: str, alt: str, kind: str = "") -> str:
    return (f'<figure{f" class={kind}" if kind else ""}>{image_tag(enlarge_rgba(rgba), alt)}'
            f"<figcaption>{caption}</figcaption></figure>")


def seen_html(image: np.ndarray, known: np.ndarray, sight: np.ndarray) -> str:
    """Figure 2 of raster order: known pixels as strongly as the missing ones can see them."""
    rgba = opaque(image)
    rgba[..., 3] = np.where(known, FADED + (255 - FADED) * sight, 0).round()
    missing, ignored = int((~known).sum()), int((known & (sight == 0)).sum()) if not known.all() else 0
    unseen = f"; {ignored} known pixels below the hole inform none of them" * bool(ignored)
    words = ("Brush a part of the picture away, or choose a shape below it." if not missing else
             f"<b>Figure 2.</b> What raster order can look at. {missing} pixels are missing. A known pixel is as faint "
             f"as the share of them that come before it and so cannot see it{unseen}.")
    return f'<div class="seen">{figure(rgba, words, "the known pixels that raster order can see")}</div>'


def damaged_html(damaged: np.ndarray, known: np.ndarray, kind: str) -> str:
    """Figure 2 of the restorer: the picture that it is given."""
    rgba = opaque(damaged)
    if kind == "masked":
        rgba[~known] = 0
    words = ("<b>Figure 2.</b> The damaged picture. A small network turns all of it into the map <i>s</i>, so every "
             "pixel that is drawn can look everywhere, above and below.")
    return f'<div class="seen">{figure(rgba, words, f"the damaged picture: {kind}")}</div>'


def row_html(panels: Sequence[np.ndarray], captions: Sequence[str], words: str, busy: bool = False) -> str:
    """Pictures beside each other, RGBA (H, W, 4), each with a caption, and one sentence below all of them."""
    figures = "".join(figure(rgba, caption, f"completion {k}")
                      for k, (rgba, caption) in enumerate(zip(panels, captions), 1))
    return f'<div class="completions{" unfinished" * busy}">{figures}</div><p class="legend">{words}</p>'


def drawing_html(images: np.ndarray, original: np.ndarray, known: np.ndarray, row: int, words: str) -> str:
    """Figure 3 while it is drawn: uint8 (K, H, W, 3), of which `row` rows are there."""
    panels = [unfinished(image, original, known, row) for image in images]
    return row_html(panels, [str(k) for k in range(1, len(images) + 1)], words, row < len(known))


RASTER = ("<b>Figure 3.</b> Completions in raster order, independent of each other. Each missing pixel was drawn from "
          "<i>p</i>(<i>x<sub>i</sub></i> | <i>x</i><sub>&lt;<i>i</i></sub>): the known pixels after it had no say.")
RESTORED = ("<b>Figure 3.</b> Restorations: samples of <i>p</i>(<i>x</i> | <i>s</i>), equation 5. Each is one picture "
            "that could have been the original.")


def weighted_html(images: np.ndarray, bits: np.ndarray, weights: np.ndarray, effective: float) -> str:
    """Figures 3 and 4 of raster order: completions (K, H, W, 3) as drawn, and ordered by their weights (K,)."""
    first = row_html([opaque(image) for image in images], [str(k) for k in range(1, len(images) + 1)], RASTER)
    if not bits.any():
        return first + ('<p class="legend">No known pixel comes after the hole: there is nothing left to explain, and '
                        "all completions count the same.</p>")
    order = np.argsort(-weights, kind="stable")
    captions = [f"{k + 1} · <b>{percent(weights[k])}</b><br>{bits[k]:,.0f} bits" for k in order]
    words = ("<b>Figure 4.</b> The same ones by weight: how probable each makes the known pixels after the hole, which "
             "cost it so many bits. A weighted draw from them is a draw from <i>p</i>(missing | all known) once there "
             f"are enough. Here they are worth <b>{effective:.1f}</b> independent "
             f"completion{'s' * (effective >= 1.05)} of {len(images)}: the effective sample size.")
    return first + row_html([opaque(images[k]) for k in order], captions, words)


def percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "< 1 %" if share > 0 else "0 %"


def restored_html(images: np.ndarray, scores: dict[str, tuple[np.ndarray, float]], samples: list[float]) -> str:
    """Figures 3 and 4 of the restorer: samples (K, H, W, 3) with their PSNR, and beside each other the original, the
    mean and the repair without a model: name -> (image (H, W, 3), PSNR)."""
    first = row_html([opaque(image) for image in images], [decibels(score) for score in samples],
                     f"{RESTORED} Below each: its PSNR against the original, on what was missing.")
    panels, captions = [], []
    for name, (image, score) in scores.items():
        panels.append(opaque(image))
        captions.append(f"{html.escape(name)}<br><b>{decibels(score) if score is not None else '&nbsp;'}</b>")
    words = ("<b>Figure 4.</b> The mean of the samples is the best guess in the sense of squared error, and a blur "
             "where they disagree; a single sample is sharp and pays for it in PSNR.")
    return first + row_html(panels, captions, words)


def decibels(score: float) -> str:
    return f"{score:.1f} dB" if np.isfinite(score) else "exact"


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
    return (f'<div class="measured"><h4>Measured</h4><div class="wide"><table><thead><tr><th rowspan=2>Damage</th>'
            "<th colspan=3>PSNR in dB</th><th colspan=2>Bits per missing sub-pixel</th></tr><tr><th>one sample</th>"
            f"<th>mean of {results['samples']}</th><th>without a model</th><th>restorer</th>"
            f"<th>raster order</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
            f"<p>On CIFAR-10 test pictures, none of them seen in training: {results['images_drawn']} restored "
            f"{results['samples']} times for PSNR, {results['images']:,} for bits; the better of mean and simple "
            f"repair is bold. The mean is ahead in {wins} of {len(rows)} rows, after training on {images_seen:,} "
            "pictures. Written by <code>python -m pixelcnn_core evaluate demo/assets/restorer --data data</code>.</p>"
            "</div>")
