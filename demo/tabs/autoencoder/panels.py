"""The pictures and numbers of the Auto-encoder tab: a picture, its code as bars, what two decoders make of it."""

import html

import numpy as np

from demo.kit.panels import enlarge, figure_html, image_tag
from demo.tabs.autoencoder.names import naming
from demo.tabs.autoencoder.service import CodeInfo

PATH_LEGEND = """<p class="facts">Left and right: the two pictures. Between them, top row: the safe guess; below: what
the PixelCNN draws. The numbers are <em>t</em>.</p>"""


def figure(image: np.ndarray, alt: str, caption: str, rows_done: int | None = None, kind: str = "draw",
           title: str = "") -> str:
    """One picture uint8 (H, W, 3) with words below; `title` is what a pointer that rests on it is told."""
    rows = image.shape[0] if rows_done is None else rows_done
    told = f' title="{html.escape(title)}"' * bool(title)
    return figure_html(enlarge(image[None], rows), alt, html.escape(caption), f' class="{kind}"{told}')


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
               = None, own: np.ndarray | None = None, mean: tuple[np.ndarray, str] | None = None, contrast: str = "",
               bits: str = "", told: bool = False, rows_done: int | None = None) -> str:
    """The way of a picture (H, W, 3): its code, the one safe guess of the MSE decoder, draws (n, H, W, 3) of the
    PixelCNN, or smaller ones on the way, of which `rows_done` rows are drawn, and the mean of many with what to call
    it. The code may stand for a `small` picture (h, w, 3). With `own`, the code of the picture, the one shown was
    moved, and an error would say nothing. `contrast` is HTML that stands below the draws, `bits` a sentence on what
    the code saves; `told` says that the code also tells the finer steps of a chain something."""
    unfinished, rows = rows_done is not None, images.shape[1] if rows_done is None else rows_done
    compared = not unfinished and own is None

    def error(image: np.ndarray) -> str:
        return "" if own is not None else f"error {squared_error(image, picture):.3f}"

    coded = [] if small is None else [figure(small, f"the picture at {len(small)} by {len(small)} pixels",
                                             f"its {len(small)} × {len(small)} pixels", kind="small")]
    way = [figure(picture, "original", "the picture", kind="original"), *coded, bars_html(code, own),
           figure(guess, "the one safe guess", "one safe guess", kind="guess", title=error(guess))]
    ends = ["nearest to the picture", *[" "] * (len(images) - 2), "farthest from it"]
    says = dict(zip(by_error(images, picture), ends)) if compared else {}
    draws = "".join(figure(image, f"PixelCNN, draw {k + 1}", says.get(k, " "), rows,
                           title=error(image) if compared else "") for k, image in enumerate(images))
    invented = (" and hints at what kind of face; <b>all else is invented</b>" if told else
                "; <b>from here on everything is invented</b>")
    decides = f"the code decides {len(small)} × {len(small)} pixels{invented}" if small is not None else \
        "one code, other pictures"
    words = "" if mean is None or unfinished else averaged_html(mean, error(mean[0]))
    if words and compared:
        words += numbers_html(picture, guess, images, mean, bits)
    return (f'<div class="codes{" unfinished" * unfinished}" data-rows="{rows}"><div class="code-way" style="--count:'
            f'{len(way)}">{"".join(way)}</div><p class="code-branch"><span>The PixelCNN draws:</span> {decides}</p>'
            f'<div class="code-draws">{draws}</div>{contrast}{words}</div>')


def contrast_html(count: int, images: np.ndarray, fewer: bool) -> str:
    """What another code of `count` numbers makes of the same picture: draws (n, H, W, 3) in one row."""
    tags = "".join(image_tag(enlarge(image[None], len(image)), f"PixelCNN, from {count} numbers, draw {k}")
                   for k, image in enumerate(images, 1))
    return (f'<p class="code-branch"><span>From {"only " * fewer}{count} numbers</span> of the same picture:</p>'
            f'<div class="code-contrast">{tags}</div>')


def averaged_html(mean: tuple[np.ndarray, str], title: str) -> str:
    """Why the guess blurs, beside the mean of draws (H, W, 3) with what to call it."""
    return (f'<div class="code-mean">{figure(*mean, mean[1], kind="mean", title=title)}<p><b>Each draw has details, '
            "and every draw has others. Averaged, they blur.</b> The safe guess is a blur for the same reason: one "
            "answer for all pictures that share the code.</p></div>")


def by_error(images: np.ndarray, picture: np.ndarray) -> list[int]:
    """Which of the draws (n, H, W, 3) is nearest to the picture, and so on."""
    return [int(k) for k in np.argsort([squared_error(image, picture) for image in images], kind="stable")]


def numbers_html(picture: np.ndarray, guess: np.ndarray, images: np.ndarray, mean: tuple[np.ndarray, str], bits: str
                 ) -> str:
    """How far draws, their mean and the guess are from the picture, and what the code saves; folded."""
    single = np.mean([squared_error(image, picture) for image in images])
    average, best = squared_error(mean[0], picture), squared_error(guess, picture)
    return ('<details class="code-says"><summary>In numbers</summary><p>How far two pictures are apart is here their '
            "<em>mean squared error</em>, MSE: 0 is the same picture, 1 is black against white. A draw is "
            f"{single:.3f} away from the picture, the {html.escape(mean[1])} {average:.3f}. The network of the safe "
            f"guess is trained for just this number, and so is called the MSE decoder: it comes to {best:.3f}. Trained "
            "perfectly and with the same code, it would give the mean of the draws"
            f"{meeting(round(best, 3), round(average, 3))}.</p>{f'<p>{html.escape(bits)}</p>' * bool(bits)}</details>")


def meeting(guess: float, mean: float) -> str:
    """How the MSE decoder's squared error compares with that of the mean of the draws, as a clause."""
    if guess > mean:
        return "; ours, with a code of its own, was trained briefly and falls short of it"
    return "; ours, with a code of its own, is equally near" if guess == mean else \
        "; ours is even nearer, for it has a code of its own, learnt for squared error"


def ends_html(pictures: list[np.ndarray], edge: float, name: tuple[str, str] | None = None) -> str:
    """What a slider does, at its ends, -`edge` and `edge`, and in the middle: three pictures uint8 (H, W, 3) of the MSE
    decoder. Words at the ends only where they say something else than `name`, those of the slider's label."""
    tags = [image_tag(enlarge(picture[None], len(picture)), f"MSE decoder, code moved by {words}")
            for picture, words in zip(pictures, (f"{-edge:g}", "0", f"{edge:+g}"))]
    here = naming(pictures[0], pictures[-1])
    low, high = ("", "") if here == name else (f": {word}" for word in here)
    words = (f"−{edge:g}{low}", "0", f"+{edge:g}{high}")
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


def results_html(infos: list[CodeInfo], data: str) -> str:
    """What `evaluate` measured on the test pictures of `data`, one row per decoder, folded; the class only where it was
    judged. Empty where no auto-encoder was evaluated."""
    infos = [info for info in infos if "shown" in info.results]
    if not infos:
        return ""
    rows, last = [], []
    judged = all("class_kept_mse" in info.results for info in infos)
    for info in infos:
        r = info.results
        shown = r["shown"]
        sharpened = ", ".join(f"{name.replace('_', '-')} {shown[name]:g}" for name, off in (
            ("temperature", 1), ("guidance", 1), ("min_p", 0)) if shown.get(name, off) != off)
        rows += [(f"{info.code} numbers, MSE decoder", "", r["mse_of_mse_autoencoder"], r.get("class_kept_mse"),
                  r["sharpness_mse"]),
                 (f"{info.code} numbers, PixelCNN, the paper’s sampler", f"{r['bits_in_the_code']:,.0f}", r["mse"],
                  r.get("class_kept_pixelcnn"), r["sharpness_pixelcnn"]),
                 (f"{info.code} numbers, PixelCNN, {sharpened}", "", shown["mse"], shown.get("class_kept"),
                  shown["sharpness"])]
        for key, words, place in (("mse_finer", f"{info.code} numbers, MSE decoder of 8 × 8, then the chain", rows),
                                  ("small_picture_given", "the chain, from the true 8 × 8 picture", last)):
            if found := r.get(key):
                place.append((words, "", found["mse"], found.get("class_kept"), found["sharpness"]))
    r = infos[0].results
    body = "".join(f'<tr><th scope="row">{name}</th><td>{bits}</td><td>{error:.4f}</td>'
                   + (f"<td>{kept:.0%}</td>" if judged else "") + f"<td>{sharp:.4f}</td></tr>"
                   for name, bits, error, kept, sharp in dict.fromkeys(
                       [("originals", "", 0, 1, r["sharpness_original"]), *rows, *last]))
    images = " and ".join(dict.fromkeys(f"{info.results['images']:,}" for info in infos))
    without = ("than by a twin that was trained without a code" if "bits_per_dim_twin" in r else
               "than the same network without the code")
    what = "the 8 × 8 picture that the chain begins with" if infos[0].chain else "an image"
    about_class = f"""<em>Class kept</em>: how often a classifier gives the reconstruction the class that it gave the
original (it is right about {r['class_accuracy_real']:.0%} of the originals; chance keeps one in ten).
""" if judged else ""
    return f"""<details class="measured"><summary>What the code keeps, measured</summary><div class="wide"><table>
<thead><tr><th></th><th scope="col">bits</th><th scope="col">squared error</th>
{'<th scope="col">class kept</th>' * judged}<th scope="col">sharpness</th></tr></thead>
<tbody>{body}</tbody></table></div>
<p>Measured on test images of {data}: {images} for the bits, one reconstruction each of
{r['images_reconstructed']:,} for the rest. <em>Bits</em>: so many fewer are needed to write down {what} {without}.
{about_class}<em>Sharpness</em>: squared differences of neighbouring pixels. The chain draws with {sharpened} where
nothing else is said. {minutes_words(infos)}</p></details>"""


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
