"""`gr.Blocks` with a check at its door: what a request may name, and what an answer may say."""

import gradio as gr

from demo.settings import UserError
from demo.uploads import check_paths


class GuardedBlocks(gr.Blocks):
    """Gradio fetches, copies and opens the paths and addresses that a request names before any handler sees them, and
    only in records that bear its own mark. Here none gets past the door but what was uploaded to this server."""

    async def preprocess_data(self, block_fn, inputs, state, explicit_call=False):
        try:
            check_paths(inputs, self.upload_file_set)
        except UserError as error:
            raise gr.Error(str(error), title="Not an upload", print_exception=False) from error
        return await super().preprocess_data(block_fn, inputs, state, explicit_call)
