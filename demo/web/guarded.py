"""`gr.Blocks` with a check at its door: what a request may name, and what an answer and the log may say."""

import functools
import logging
import traceback
from collections.abc import Callable, Iterator

import gradio as gr

from demo.service.settings import UserError
from demo.service.uploads import check_paths

FAILED = "Something went wrong here, and nothing was done: please try again."
NO_FIT = "A value in this request does not fit its field."
log = logging.getLogger(__name__)


class GuardedBlocks(gr.Blocks):
    """Gradio fetches, copies and opens the paths and addresses that a request names before any handler sees them, and
    only in records that bear its own mark. Here none gets past the door but what was uploaded to this server.

    Whatever else fails is answered with one sentence: messages of exceptions quote paths of the server and values of
    the visitor, so neither answers nor the log repeat them.
    """

    def let_stop_at_once(self) -> None:
        """Gradio closes a cancelled generator only if it has given something already; one that was cancelled before,
        while it loaded or compiled, would keep its turn. So they begin with nothing new; but for those of a page or tab
        that opens: an answer that says nothing, and is there before its components, takes their properties away.
        Call it at the end."""
        for event in self.fns.values():
            if event.types_generator and "load" not in {trigger for _, trigger in event.targets}:
                event.fn = beginning_with_nothing(event.fn, len(event.outputs))

    async def preprocess_data(self, block_fn, inputs, state, explicit_call=False):
        try:
            check_paths(inputs, self.upload_file_set)
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except UserError as error:
            raise gr.Error(str(error), title="The file was not read", print_exception=False) from error
        except Exception as error:  # also Gradio's own errors: they quote what was sent
            log.warning("a request was refused: %s", where(error))
            raise gr.Error(NO_FIT, title="Nothing was done", print_exception=False) from None

    async def process_api(self, *args, **kwargs):
        try:
            return await super().process_api(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            log.error("a request failed: %s", where(error))
            raise gr.Error(FAILED, title="Not finished", print_exception=False) from None


def beginning_with_nothing(fn: Callable[..., Iterator], outputs: int) -> Callable[..., Iterator]:
    """`fn`, a generator function, that leaves all `outputs` as they are before it does anything."""
    @functools.wraps(fn)
    def generator(*inputs, **named):
        yield gr.skip() if outputs == 1 else (gr.skip(),) * outputs
        yield from fn(*inputs, **named)

    return generator


def where(error: BaseException) -> str:
    """The type of an exception and the lines that led to it, without its message."""
    calls = traceback.extract_tb(error.__traceback__)[-12:]
    return " < ".join([type(error).__name__, *(f"{call.filename}:{call.lineno} {call.name}" for call in calls[::-1])])


class WithoutValues(logging.Filter):
    """Takes messages of exceptions out of a log: the web server writes those of its own failures there."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1]:
            record.msg, record.args = "%s: %s", (record.getMessage().partition("\n")[0][:80], where(record.exc_info[1]))
            record.exc_info = record.exc_text = None
        return True


logging.getLogger("uvicorn.error").addFilter(WithoutValues())
