"""The pictures and numbers of the Auto-encoder tab: a picture, the MSE decoder's answer, the PixelCNN's (figure 6)."""

import html

import numpy as np

from demo.kit.panels import enlarge, image_tag
from demo.tabs.autoencoder.service import CodeInfo

LEGEND = """<p class="facts">Left: the picture, and what the MSE decoder makes of its code. Right: eight draws of the
PixelCNN decoder, all for one code. <em>Error</em> is the mean squared difference from the picture; the range from black
to white is 1.</p>"""
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


def codes_html(picture: np.ndarray, guess: np.ndarray, images: np.ndarray, rows_done: int | None = None,
               edited: bool = False) -> str:
    """The picture (H, W, 3), the MSE decoder's guess, and draws (n, H, W, 3) of the PixelCNN, each with its error."""
    rows = images.shape[1] if rows_done is None else rows_done
    unfinished = rows < images.shape[1]

    def error(image: np.ndarray) -> str:
        return "" if edited else f"error {squared_error(image, picture):.3f}"

    draws = "".join(figure(image, f"PixelCNN, draw {k}", " " if unfinished else error(image) or f"draw {k}", rows)
                    for k, image in enumerate(images, 1))
    guess_words = "MSE, edited code" if edited else f"MSE · {error(guess)}"
    return (f'<div class="codes{" unfinished" * unfinished}" data-rows="{rows}">'
            f'{figure(picture, "original", "original", kind="original")}'
            f'{figure(guess, "reconstruction by squared error", guess_words, kind="guess")}{draws}</div>{LEGEND}')


def code_strip_html(guesses: np.ndarray, images: np.ndarray, labels: list[str], ends: list[tuple[np.ndarray, str]],
                    rows_done: int | None = None) -> str:
    """The way between two codes: above the MSE decoder's (columns, H, W, 3), below draws (columns, rows, H, W, 3).

    `ends` are the two pictures uint8 (H, W, 3), with their names.
    """
    rows = images.shape[2] if rows_done is None else rows_done

    def column(guess: np.ndarray, draws: np.ndarray, label: str) -> str:
        return (f'<figure>{image_tag(enlarge(guess[None], len(guess)), f"MSE decoder, {label}")}'
                f'{image_tag(enlarge(draws, rows, columns=1), f"PixelCNN, {label}")}'
                f"<figcaption>{html.escape(label)}</figcaption></figure>")

    columns = [column(*parts) for parts in zip(guesses, images, labels)]
    first, last = (figure(picture, name, name, kind="end") for picture, name in ends)
    unfinished = " unfinished" * (rows < images.shape[2])
    return (f'<div class="strip code-strip{unfinished}" data-rows="{rows}" style="--count:{len(columns) + 2}">{first}'
            f'{"".join(columns)}{last}</div>{PATH_LEGEND}')


def results_html(infos: list[CodeInfo]) -> str:
    """What `evaluate` measured, one row per decoder; empty where no auto-encoder was evaluated."""
    infos = [info for info in infos if "shown" in info.results]
    if not infos:
        return ""
    rows = []
    for info in infos:
        r = info.results
        shown = r["shown"]
        rows += [(f"{info.code} numbers, MSE", "", r["mse_of_mse_autoencoder"], r["class_kept_mse"],
                  r["sharpness_mse"]),
                 (f"{info.code} numbers, PixelCNN", f"{r['bits_in_the_code']:,.0f}", r["mse"],
                  r["class_kept_pixelcnn"], r["sharpness_pixelcnn"]),
                 (f"{info.code} numbers, guidance {shown['guidance']:g}", "", shown["mse"], shown["class_kept"],
                  shown["sharpness"])]
    body = "".join(f'<tr><th scope="row">{name}</th><td>{bits}</td><td>{error:.4f}</td><td>{kept:.0%}</td>'
                   f"<td>{sharp:.4f}</td></tr>" for name, bits, error, kept, sharp in rows)
    r, shown = infos[0].results, infos[0].results["shown"]
    return f"""<div class="measured"><h4>What the code keeps</h4><div class="wide"><table>
<thead><tr><th></th><th scope="col">bits</th><th scope="col">squared error</th><th scope="col">class kept</th>
<th scope="col">sharpness</th></tr></thead>
<tbody><tr><th scope="row">originals</th><td></td><td>0</td><td>100%</td><td>{r['sharpness_original']:.4f}</td></tr>
{body}</tbody></table></div>
<p>Measured on test images of CIFAR-10: {r['images']:,} for the bits, one reconstruction each of
{r['images_reconstructed']:,} for the rest. <em>Bits</em>: what knowing the code saves when an image is written down.
<em>Class kept</em>: how often a classifier gives the reconstruction the class that it gave the original (it is right
about {r['class_accuracy_real']:.0%} of the originals; chance keeps one in ten). <em>Guidance</em>: with temperature
{shown['temperature']:g}, as the page opens. <em>Sharpness</em>: squared differences of neighbouring
pixels.</p></div>"""
