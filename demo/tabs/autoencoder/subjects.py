"""What the Auto-encoder tab codes: faces, or photos of things; each with its pictures and what chooses one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np

from demo.kit.crop import STATE_SECONDS
from demo.kit.html_block import html_block
from demo.kit.picture_chooser import PictureChooser, picture_chooser
from demo.kit.pictures import PICTURES, bundled
from demo.kit.run_controls import FACES_QUEUE, QUIET
from demo.kit.status import refused_html, status_html
from demo.service.bridge import Service
from demo.service.faces import EXAMPLES, FaceService
from demo.service.settings import UserError
from demo.service.uploads import take_upload

FOLDER = Path(__file__).parents[2] / "assets" / "autoencoders"


@dataclass(frozen=True)
class Subject:
    """Pictures of one kind, uint8 (size, size, 3), by name. `part` is the folder of their auto-encoders below that of
    all; `prefix` begins the ids of their elements and their keys in the address; `choose(prefix, first)` builds what
    chooses one, inside an open column."""

    title: str
    prefix: str
    part: str
    size: int
    data: str  # what they were trained and measured on, in words
    pictures: tuple[str, ...]
    first: str
    to: str
    read: Callable[[str], np.ndarray]
    choose: Callable[[str, str], PictureChooser]

    @property
    def api(self) -> str:
        """The end of the names of their endpoints, which are told apart by it."""
        return f"_of_{self.title.lower()}" if self.prefix else ""

    def picture(self, name: str | None, own) -> tuple[np.ndarray, str]:
        """The picture of this name, or a visitor's own, with what to call it. Raises UserError."""
        return (np.asarray(own, np.uint8), "your picture") if name is None else (self.read(name), name)


def photos(service: Service) -> Subject:
    """Small photos of anything."""
    return Subject("Photos", "", "", 32, "CIFAR-10", tuple(PICTURES), "astronaut", "coffee", bundled,
                   lambda prefix, first: picture_chooser(prefix, service, first))


def faces(service: Service) -> Subject:
    """Aligned faces."""
    found = FaceService(service)
    first, to = EXAMPLES

    def read(name: str) -> np.ndarray:
        if not isinstance(name, str) or name not in EXAMPLES:
            raise UserError(f"There is no such face; choose one of {', '.join(EXAMPLES)}.")
        return found.example(name).crop

    return Subject("Faces", "faces-", "portraits", 64, "the portraits", tuple(EXAMPLES), first, to, read,
                   lambda prefix, first: face_chooser(prefix, found, read, first))


def subjects(service: Service) -> list[Subject]:
    """All of them, the one that the page opens on first."""
    return [faces(service), photos(service)]


def face_chooser(prefix: str, service: FaceService, read: Callable[[str], np.ndarray], first: str) -> PictureChooser:
    """The bundled faces, or the largest in a photo; of the photo itself nothing is kept."""
    face = gr.State(read(first), time_to_live=STATE_SECONDS)
    name = gr.Radio(list(EXAMPLES), value=first, label="Face", elem_id=f"{prefix}picture", elem_classes="chips")
    photo = gr.Image(label="Or a photo of you", sources=["upload", "clipboard"], type="filepath", image_mode=None,
                     format="png", height=130, elem_id=f"{prefix}photo")
    note = html_block(status_html(""), elem_id=f"{prefix}photo-status")

    def take(payload):
        """Find the face in a photo. Returns nothing in its place, the face, no name of a bundled one, a text."""
        try:
            return None, service.faces(take_upload(payload))[0].crop, None, status_html("")
        except UserError as error:
            return None, gr.skip(), gr.skip(), refused_html(str(error), None, "the face before")

    def named(name):
        return (read(name), status_html("")) if name else (gr.skip(), gr.skip())

    taken = photo.input(take, photo, [photo, face, name, note], preprocess=False, api_visibility="private",
                        **FACES_QUEUE)
    return PictureChooser(face, name, (name.change(named, name, [face, note], **QUIET), taken))
