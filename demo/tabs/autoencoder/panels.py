"""The pictures and numbers of the Auto-encoder tab: a picture, its code as bars, what two decoders make of it."""

import html

import numpy as np

from demo.kit.panels import enlarge, image_tag
from demo.tabs.autoencoder.names import naming
from demo.tabs.autoencoder.service import CodeInfo

PATH_LEGEND = """<p class="facts">Left and right: the two pictures. Between them, top row: the MSE decoder; below: the
PixelCNN decoder. The numbers are <em>t</em>.</p>"""


def figure(image: np.ndarray, alt: str, caption: str, rows_done: int | None = None, kind: str = "draw") -> str:
    """One picture uint8 (H, W, 3) with words below."""
    rows = image.shape[0] if rows_done is None else rows_done
    return (f'<figure class="{kind}">{image_tag(enlarge(image[None], rows), alt)}'
            f"<figcaption>{html.escape(caption)}</figcaption></figure>")


def squared_error(a: np.ndarray, b: np.ndarray) -> float:
    """Mean squared difference; the full range from black to white is 1."""
    return float((((a.astype(np.float64) - b) / 255) ** 2).mean())


def bars_html(code: np.ndarray, own: np.ndarray | None = None) -> str:
    """A code (m,), where 1 is typical, as bars up and down from the mean code. `own` is the picture's code
    where the one shown was moved: its bars stand behind."""
    count, step = len(code), 200 / len(code)

    def bars(values: np.ndarray, kind: str) -> str:
        heights = np.clip(values, -2.4, 2.4) * 20
        return "".join(f'<rect class="{kind}" x="{k * step:.1f}" y="{50 - max(h, 0):.1f}" width="{step * .8:.2f}" '
                       f'height="{abs(h):.1f}"/>' for k, h in enumerate(heights))

    words = f"{count} numbers" + (", moved" if own is not None else "")
    return (f'<figure class="code-bars"><svg viewBox="0 0 200 100" role="img" aria-label="The code of {words}">'
            f'{bars(own, "own") if own is not None else ""}{bars(code, "now")}<path d="M0 50H200"/></svg>'
            f"<figcaption>its code: {words}</figcaption></figure>")


def codes_html(picture: np.ndarray, code: np.ndarray, guess: np.ndarray, images: np.ndarray, *, small: np.ndarray | None
               = None, own: np.ndarray | None = None, mean: tuple[np.ndarray, str] | None = None,
               rows_done: int | None = None) -> str:
    """The way of a picture (H, W, 3): its code, the MSE decoder's one answer, the mean of many draws of the PixelCNN
    with what to call it, and draws (n, H, W, 3), or smaller ones on the way, of which `rows_done` rows are drawn. The
    code may stand for a `small` picture (h, w, 3). With `own`, the code of the picture, the one shown was moved, and an
    error would say nothing."""
    unfinished, rows = rows_done is not None, images.shape[1] if rows_done is None else rows_done

    def error(image: np.ndarray) -> str:
        return "" if own is not None else f"error {squared_error(image, picture):.3f}"

    def caption(*parts: str) -> str:
        return " · ".join(filter(None, parts))

    average, name = mean or (np.zeros_like(picture), "mean of its draws")
    coded = [] if small is None else [figure(small, f"the picture at {len(small)} by {len(small)} pixels",
                                             f"its {len(small)} × {len(small)} pixels", kind="small")]
    way = [figure(picture, "original", "the picture", kind="original"), *coded, bars_html(code, own),
           figure(guess, "the MSE decoder's answer", caption("MSE decoder", error(guess)), kind="guess"),
           figure(average, f"PixelCNN decoder, {name}", caption(name, error(average) if mean else ""),
                  None if mean else 0, "mean")]
    draws = "".join(figure(image, f"PixelCNN decoder, draw {k}", " " if unfinished else error(image) or f"draw {k}",
                           rows) for k, image in enumerate(images, 1))
    words = lesson(picture, guess, images, mean, own, unfinished)
    return (f'<div class="codes{" unfinished" * unfinished}" data-rows="{rows}"><div class="code-way" style="--count:'
            f'{len(way)}">{"".join(way)}</div><p class="code-says">{words}</p>'
            f'<div class="code-draws">{draws}</div></div>')


def lesson(picture: np.ndarray, guess: np.ndarray, images: np.ndarray, mean: tuple[np.ndarray, str] | None,
           own: np.ndarray | None, unfinished: bool) -> str:
    """What to see in these pictures, in a sentence or two, by their own numbers."""
    if mean is None or own is not None or unfinished:
        return "The PixelCNN decoder draws: one code, other pictures."
    single = np.mean([squared_error(image, picture) for image in images])
    average, best = squared_error(mean[0], picture), squared_error(guess, picture)
    return (f"<b>Drawn, they are detailed and differ; averaged, they blur.</b> A draw is {single:.3f} away from the "
            f"picture, the {html.escape(mean[1])} {average:.3f}, and the MSE decoder {best:.3f}. In squared error a "
            "perfectly trained MSE decoder of the same code would meet the mean of the draws"
            f"{meeting(round(best, 3), round(average, 3))}.")


def meeting(guess: float, mean: float) -> str:
    """How the MSE decoder's squared error compares with that of the mean of the draws, as a clause."""
    if guess > mean:
        return "; ours, with a code of its own, was trained briefly and falls short of it"
    return "; ours, with a code of its own, is equally near" if guess == mean else \
        "; ours is even nearer, for it has a code of its own, learnt for squared error"


def ends_html(pictures: list[np.ndarray], name: tuple[str, str] | None = None) -> str:
    """What a slider does, at its ends and in the middle: three pictures uint8 (H, W, 3) of the MSE decoder. Words at
    the ends only where they say something else than `name`, those of the slider's label."""
    tags = [image_tag(enlarge(picture[None], len(picture)), f"MSE decoder, code moved by {words}")
            for picture, words in zip(pictures, ("-3", "0", "+3"))]
    here = naming(pictures[0], pictures[-1])
    low, high = ("", "") if here == name else (f": {word}" for word in here)
    words = (f"−3{low}", "0", f"+3{high}")
    shown = "".join(f"<span>{tag}<small>{word}</small></span>" for tag, word in zip(tags, words))
    return f'<div class="code-ends">{shown}</div>'


def code_strip_html(guesses: np.ndarray, images: np.ndarray, labels: list[str], ends: list[tuple[np.ndarray, str]],
                    rows_done: int | None = None) -> str:
    """The way between two codes: above the MSE decoder's (columns, H, W, 3), below draws (columns, rows, H, W, 3).

    `ends` are the two pictures uint8 (H, W, 3), with their names.
    """
    rows = images.shape[2] if rows_done is None else rows_done

    def column(guess: np.ndarray, draws: np.ndarray, label: str) -> str:
        return (f'<figure>{image_tag(enlarge(guess[None], len(guess)), f"MSE decoder, {label} of the way")}'
                f'{image_tag(enlarge(draws, rows, columns=1), f"PixelCNN decoder, {label} of the way")}'
                f"<figcaption>{html.escape(label)}</figcaption></figure>")

    columns = [column(*parts) for parts in zip(guesses, images, labels)]
    first, last = (figure(picture, name, name, kind="end") for picture, name in ends)
    unfinished = " unfinished" * (rows < images.shape[2])
    return (f'<div class="code-strip{unfinished}" data-rows="{rows}" style="--count:{len(columns) + 2}">{first}'
            f'{"".join(columns)}{last}</div>{PATH_LEGEND}')


def results_html(infos: list[CodeInfo]) -> str:
    """What `evaluate` measured, one row per decoder, folded; empty where no auto-encoder was evaluated."""
    infos = [info for info in infos if "shown" in info.results]
    if not infos:
        return ""
    rows, last = [], []
    for info in infos:
        r = info.results
        shown = r["shown"]
        sharpened = ", ".join(f"{name.replace('_', '-')} {shown[name]:g}" for name, off in (
            ("temperature", 1), ("guidance", 1), ("min_p", 0)) if shown.get(name, off) != off)
        rows += [(f"{info.code} numbers, MSE decoder", "", r["mse_of_mse_autoencoder"], r["class_kept_mse"],
                  r["sharpness_mse"]),
                 (f"{info.code} numbers, PixelCNN, the paper’s sampler", f"{r['bits_in_the_code']:,.0f}", r["mse"],
                  r["class_kept_pixelcnn"], r["sharpness_pixelcnn"]),
                 (f"{info.code} numbers, PixelCNN, {sharpened}", "", shown["mse"], shown["class_kept"],
                  shown["sharpness"])]
        for key, words, place in (("mse_finer", f"{info.code} numbers, MSE decoder of 8 × 8, then the chain", rows),
                                  ("small_picture_given", "the chain, from the true 8 × 8 picture", last)):
            if found := r.get(key):
                place.append((words, "", found["mse"], found["class_kept"], found["sharpness"]))
    body = "".join(f'<tr><th scope="row">{name}</th><td>{bits}</td><td>{error:.4f}</td><td>{kept:.0%}</td>'
                   f"<td>{sharp:.4f}</td></tr>" for name, bits, error, kept, sharp in dict.fromkeys(rows + last))
    r = infos[0].results
    images = " and ".join(dict.fromkeys(f"{info.results['images']:,}" for info in infos))
    without = ("than by a twin that was trained without a code" if "bits_per_dim_twin" in r else
               "than the same network without the code")
    what = "the 8 × 8 picture that the chain begins with" if infos[0].chain else "an image"
    return f"""<details class="measured"><summary>What the code keeps, measured</summary><div class="wide"><table>
<thead><tr><th></th><th scope="col">bits</th><th scope="col">squared error</th><th scope="col">class kept</th>
<th scope="col">sharpness</th></tr></thead>
<tbody><tr><th scope="row">originals</th><td></td><td>0</td><td>100%</td><td>{r['sharpness_original']:.4f}</td></tr>
{body}</tbody></table></div>
<p>Measured on test images of CIFAR-10: {images} for the bits, one reconstruction each of
{r['images_reconstructed']:,} for the rest. <em>Bits</em>: so many fewer are needed to write down {what} {without}.
<em>Class kept</em>: how often a classifier gives the reconstruction the class that it gave the original (it is right
about {r['class_accuracy_real']:.0%} of the originals; chance keeps one in ten). <em>Sharpness</em>: squared differences
of neighbouring pixels. The chain draws with {sharpened} where nothing else is said.
{minutes_words(infos)}</p></details>"""


def minutes_words(infos: list[CodeInfo]) -> str:
    """For how long the auto-encoders were trained, where the results say so; several code sizes in their order."""
    def of(name: str) -> str:
        return " and ".join(dict.fromkeys(f"{each[name]:.0f}" for each in minutes if name in each))

    minutes = [info.results.get("minutes", {}) for info in infos]
    if not of("pixelcnn") or not of("mse"):
        return ""
    after = f", after {of('start')} of its encoder by squared error" if of("start") else ""
    return (f"The MSE decoder was trained for {of('mse')} minutes, the PixelCNN with its encoder for {of('pixelcnn')}"
            f"{after}.")
