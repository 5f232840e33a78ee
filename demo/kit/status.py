"""The line of text above the samples: what is shown, how far the sampling is, how it ended."""

import html

import gradio as gr
import numpy as np

from demo.kit.panels import describe, jpeg_source
from demo.kit.stored import Stored
from demo.service.bridge import Progress
from demo.service.settings import Settings


def status_html(text: str, done: float | None = None, shown: bool = False) -> str:
    """The line above the samples; with a bar while something is running (`done` from 0 to 1).

    `shown` says that the picture below is the one of the settings on the page: a link then needs no drawing.
    What changes here is said by the page's one live region, see `run_controls.js`.
    """
    mark = " data-shown" * shown
    if done is None:
        return f'<p class="status"{mark}>{text}</p>'
    return (f'<p class="status">{text}</p><div class="bar" role="progressbar" aria-label="Drawing" aria-valuemin="0" '
            f'aria-valuemax="100" aria-valuenow="{100 * done:.0f}"><span style="width:{done:.1%}"></span></div>')


def small_print(settings: str) -> str:
    """Settings and times behind the sentence of a status line: there for whoever looks, small and grey; where the
    line is cut, a mouse that rests on them shows them all."""
    return f'<span class="small-print" title="{html.escape(settings)}">{html.escape(settings)}</span>'


def error_status(error: Exception | str) -> str:
    """A sentence about what went wrong, in red with a mark, and read out at once."""
    return f'<p class="status error" role="alert">{html.escape(str(error))}</p>'


def refused_html(sentence: str, photo: np.ndarray | None, still: str) -> str:
    """Why a photo cannot be used, in red beside the drop zone; the photo itself greyed, and what remains shown."""
    picture = f'<img src="{jpeg_source(photo)}" alt="The refused photo">' if photo is not None else ""
    return (f'<div class="refused" role="alert">{picture}<p><b>Not used.</b> {html.escape(sentence)} '
            f"Still showing {html.escape(still)}.</p></div>")


def refusal(error: Exception | str) -> gr.Error:
    """To be raised once `error_status` has said it on the page: scripts that ask are told too, and no second message
    flies in."""
    return gr.Error(str(error), title="Not drawn", visible=False, print_exception=False)


def so_far(progress: Progress) -> str:
    """Where a drawing is, and for how long it has been drawn."""
    return f"{progress.place[0].upper()}{progress.place[1:]} · {progress.seconds:.1f} s"


def running_status(progress: Progress) -> str:
    return status_html(f"{so_far(progress)} · {progress.images_per_second:.1f} images/s", progress.row / progress.rows)


def unfinished_status(progress: Progress) -> str:
    """For the tabs of faces: still running, or out of time."""
    if progress.state == "out of time":
        return status_html(f"{so_far(progress)}: out of time. Choose fewer images.")
    return status_html(so_far(progress), progress.row / progress.rows)


def finished_status(progress: Progress, settings: Settings) -> str:
    count = progress.images.shape[0] * progress.images.shape[1]
    if progress.state == "out of time":
        return status_html(f"Out of time after {progress.seconds:.0f} s, at {progress.place}. Choose fewer images. "
                           f"{small_print(describe(settings))}")
    return status_html(f"<b>{count} images</b> in {progress.seconds:.1f} s. {small_print(describe(settings))}")


def stopped_status(drawn) -> str:
    if not drawn:
        return status_html("Stopped.")
    place, settings = drawn
    return status_html(f"Stopped at {place}. {small_print(describe(settings))}")


def stored_status(stored: Stored | None, asked: Settings | None = None, problem: str = "") -> str:
    """What the page shows when it opens; `asked` and `problem` are what its address says, and what is wrong with it."""
    if problem:  # nothing is drawn of such a link until the visitor says so
        return error_status(f"{problem} {'These are stored samples.' if stored else 'Nothing is drawn yet.'}")
    if stored is None:
        return status_html("Nothing drawn yet: press <b>Draw another</b>.")
    if asked not in (None, stored.settings):
        return status_html("These are stored samples; yours are drawn next, with the settings of your link.")
    by_eye = " · seed and classes chosen by eye" * (stored.settings.seed != Settings.seed)
    how = f"drawn in {stored.seconds:.1f} s · {describe(stored.settings)}{by_eye}"
    return status_html("<b>Stored samples.</b> Press <b>Draw another</b> for new ones, or <b>Redraw</b> to watch "
                       f"these appear. {small_print(how)}", shown=True)
