"""The Auto-encoder tab on faces: through the chain of portraits, on a bench of their own, from a photo."""

import json
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
import torch
from helpers import save_tiny_chain
from PIL import Image

from demo.service.bridge import Service
from demo.service.drawing import to_tensor
from demo.service.faces import EXAMPLES, FaceService
from demo.service.settings import UserError
from demo.tabs.autoencoder import tab
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.autoencoder.subjects import face_chooser, faces
from pixelcnn_core.autoencoder.chain_autoencoder import ChainAutoEncoder
from pixelcnn_core.autoencoder.model import AutoEncoder, AutoEncoderConfig, CodeConfig, MSEAutoEncoder
from pixelcnn_core.sampling.sample import finish


@pytest.fixture(scope="module")
def coded_faces(tmp_path_factory) -> CodeService:
    """A code of 4 numbers for faces of 8 x 8 pixels, drawn on to 16 x 16 by a chain of portraits."""
    folder = tmp_path_factory.mktemp("faces")
    save_tiny_chain(folder / "models" / "people")
    decoder = {"features": 6, "layers": 2, "first_kernel_size": 3, "head_features": 12}
    with torch.random.fork_rng():
        torch.manual_seed(3)
        small = AutoEncoder(AutoEncoderConfig(image_size=8, code=4, features=4, map_channels=3, decoder=decoder))
        MSEAutoEncoder(CodeConfig(image_size=16, code=4, features=4)).save_pretrained(folder / "portraits" / "mse")
    small.save_pretrained(folder / "portraits" / "small")
    (folder / "portraits" / "small" / "recipe.json").write_text(json.dumps({"trunk": "demo/assets/models/people/8"}),
                                                                encoding="utf-8")
    service = Service(folder / "models", budget=60, patience=5)
    subject = faces(service)
    assert subject.read("Grace Hopper").shape == (subject.size, subject.size, 3) == (64, 64, 3)
    return CodeService(service, folder, replace(subject, size=16, read=lambda name: subject.read(name)[::4, ::4]))


def test_a_face_is_coded_and_drawn_through_the_chain_its_recipe_names(coded_faces):
    subject = coded_faces.subject
    assert coded_faces.sizes == [4] and coded_faces.info(4).chain == "people"
    face, called = subject.picture("Grace Hopper", None)
    images = [*coded_faces.decodings(4, face, 2, [], 5, 1.0, 1.0)][-1].images
    assert called == "Grace Hopper" and images.shape == (1, 2, 16, 16, 3)
    model = ChainAutoEncoder.from_pretrained(coded_faces.info(4).pixelcnn, coded_faces.service.folder / "people")
    with torch.no_grad():
        codes = model.encode(to_tensor(face).repeat(2, 1, 1, 1))
    assert (finish(model.draw(codes, seed=5))[16].permute(0, 2, 3, 1).numpy() == images[0]).all(), "told of nobody"
    own = np.zeros((16, 16, 3), np.uint8)
    assert subject.picture(None, own)[1] == "your picture" and (subject.picture(None, own)[0] == own).all()
    for nonsense in ("Ada", "../x", ["Grace Hopper"], 3):
        with pytest.raises(UserError, match="no such face"):
            faces(coded_faces.service).picture(nonsense, None)


def test_each_subject_has_a_bench_of_its_own(coded_faces, shared_service, autoencoders, monkeypatch):
    codes = CodeService(shared_service, autoencoders)
    with gr.Blocks() as page:
        monkeypatch.setattr("demo.tabs.autoencoder.tab.subjects", lambda service: [coded_faces, codes])
        monkeypatch.setattr("demo.tabs.autoencoder.tab.CodeService", lambda service, subject: subject)
        tab.build(page, coded_faces.service)
    ids = {block.elem_id: block for block in page.blocks.values() if getattr(block, "elem_id", None)}
    assert ids["autoencoder-of"].visible and [name for name, _ in ids["autoencoder-of"].choices] == ["Faces", "Photos"]
    assert {"autoencoder-generate", "autoencoder-faces-generate", "autoencoder-faces-path-generate"} <= set(ids)
    columns = [block for block in page.blocks.values() if isinstance(block, gr.Column) and any(
        getattr(below, "elem_id", "") in ("autoencoder-grid", "autoencoder-faces-grid") for row in block.children
        for column in getattr(row, "children", []) for below in getattr(column, "children", []))]
    assert [column.visible for column in columns] == [True, False], "the first one is open"
    public = [event.api_name for event in page.fns.values() if event.api_visibility == "public"]
    assert {"decode_code", "decode_code_of_faces", "code_path", "code_path_of_faces"} <= set(public)


def test_a_photo_without_a_face_is_refused_beside_its_place(coded_faces, tmp_path, monkeypatch):
    found = FaceService(coded_faces.service)
    with gr.Blocks() as page:
        face_chooser("x-", found, faces(coded_faces.service).read, "Eileen Collins")
    take = next(event.fn for event in page.fns.values() if getattr(event.fn, "__name__", "") == "take")
    monkeypatch.setattr("demo.tabs.autoencoder.subjects.take_upload", lambda payload: payload)
    _, face, name, words = take(Image.new("RGB", (90, 90), "white"))
    assert "Not used" in words and "the face before" in words and face == name == gr.skip()
    _, face, name, words = take(Image.open(EXAMPLES["Grace Hopper"]))
    assert face.shape == (64, 64, 3) and name is None and "Not used" not in words
