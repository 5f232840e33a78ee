"""The Likelihood tab without a browser: its numbers are the core's, files come back exactly, and nothing breaks it."""

import base64
import io
import re
import threading

import httpx
import numpy as np
import pytest
import torch
from gradio_client import handle_file
from helpers import save_tiny
from PIL import Image

from demo.kit.heat_map import COLOURS, heat_colours
from demo.kit.pictures import PICTURES, bundled
from demo.service.bridge import Busy, Service
from demo.service.settings import UserError
from demo.tabs.likelihood import panels
from demo.tabs.likelihood.service import VARIANTS, LikelihoodService
from pixelcnn_core import Condition
from pixelcnn_core.codec.codec import compress, decompress, finished


@pytest.fixture
def likelihood(service):
    return LikelihoodService(service)


@pytest.fixture(scope="module")
def cat():
    return bundled("cat")


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1).copy())[None]


def test_bits_and_classes_are_those_of_the_core(likelihood, service, cat):
    image, model = likelihood.fit(cat), service.model("photos")
    reading = likelihood.read(image)
    with torch.inference_mode():
        bits = model.bits_per_sub_pixel(tensor(image))[0].sum(0)
        given = torch.stack([model.bits_per_sub_pixel(tensor(image), Condition(label=torch.tensor([k]))).double().sum()
                             for k in range(3)])
    assert np.allclose(reading.bits, bits, atol=1e-4) and reading.bits.shape == (16, 16)
    assert reading.bits_per_dim == pytest.approx(bits.mean().item() / 3, abs=1e-5)
    odds = torch.softmax(-given * np.log(2), 0).tolist()
    assert list(reading.classes) == ["cat", "dog", "ship"]
    assert list(reading.classes.values()) == pytest.approx(odds, abs=1e-3)
    assert reading.sizes["all values alike"] == 768
    assert reading.sizes["this PixelCNN"] == pytest.approx(bits.sum().item() / 8, abs=0.01)


def test_sizes_are_those_of_real_files(likelihood, cat):
    image, buffer = likelihood.fit(cat), io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", lossless=True, quality=100, method=6)
    assert likelihood.read(image).sizes["WebP, lossless"] == buffer.tell()
    assert np.array_equal(np.asarray(Image.open(buffer).convert("RGB")), image)
    assert likelihood.read(image).sizes["PNG"] > likelihood.read(image).sizes["PNG, its pixels alone"]


def test_the_variants(likelihood, cat):
    images = likelihood.variants(cat)
    assert tuple(images) == VARIANTS and all(image.shape == (16, 16, 3) for image in images.values())
    picture, shuffled, flat, digit, _ = images.values()
    assert np.array_equal(np.sort(picture.reshape(-1, 3), 0), np.sort(shuffled.reshape(-1, 3), 0))
    assert not np.array_equal(picture, shuffled)
    assert len(np.unique(flat.reshape(-1, 3), axis=0)) == 1
    assert (digit == digit[..., :1]).all() and digit.max() > 200
    costs = likelihood.costs(cat)
    for image, cost in zip(images.values(), costs):
        assert likelihood.read(image).bits_per_dim == pytest.approx(cost, abs=1e-4)
    with pytest.raises(UserError, match="no image called"):
        likelihood.variant(cat, "../etc")
    with pytest.raises(UserError, match="Choose a picture"):
        likelihood.variant("cat", VARIANTS[0])


def test_files_come_back_and_others_get_a_sentence(likelihood, service, cat):
    image = likelihood.fit(cat)
    file = finished(likelihood.compress(image))
    assert file == compress(service.model("photos"), image)
    assert np.array_equal(finished(likelihood.decompress(file)), image)
    for bad in (b"", b"no such file", file[:-1], file[:40] + b"?" + file[41:]):
        with pytest.raises(UserError, match=r"^[A-Z].*\.$"):
            finished(likelihood.decompress(bad))
    with pytest.raises(UserError, match="another model"):
        finished(likelihood.decompress(compress(service.model("digits"), image[:, :, 0] % 17)))
    with pytest.raises(UserError, match="256 x 256"):
        finished(likelihood.decompress(compress(service.model("photos"), np.zeros((1, 257), np.uint8))))


def test_the_codec_takes_its_turn(likelihood, service, cat):
    service.patience = 0.1
    with service.turn():
        assert service.busy
        with pytest.raises(Busy):
            finished(likelihood.compress(likelihood.fit(cat)))
    assert not service.busy
    finished(likelihood.compress(likelihood.fit(cat)))


def test_the_endpoint_decodes_and_deletes_the_upload(client, service, likelihood, cat, tmp_path):
    image = likelihood.fit(cat)
    (tmp_path / "image.pxcn").write_bytes(finished(likelihood.compress(image)))
    answer = client.predict(handle_file(tmp_path / "image.pxcn"), api_name="/decompress")
    decoded = Image.open(io.BytesIO(base64.b64decode(re.findall(r'href="data:image/png;base64,(.*?)"', answer)[0])))
    assert np.array_equal(np.asarray(decoded), image)
    (tmp_path / "other.pxcn").write_bytes(b"nothing of the kind")
    assert "not a file of the PixelCNN codec" in client.predict(handle_file(tmp_path / "other.pxcn"),
                                                                api_name="/decompress")


def test_no_other_file_of_the_server_is_read_or_deleted(url, tmp_path):
    """A record that names a file which was never uploaded."""
    (tmp_path / "secret.pxcn").write_bytes(b"private")
    config = httpx.get(url + "config").json()
    event = next(item["id"] for item in config["dependencies"] if item["api_name"] == "decompress")
    api = url + config["api_prefix"].strip("/") + "/"
    record = {"path": str(tmp_path / "secret.pxcn"), "meta": {"_type": "gradio.FileData"}}
    httpx.post(api + "queue/join", json={"data": [record], "fn_index": event, "session_hash": "thief"})
    with httpx.stream("GET", api + "queue/data", params={"session_hash": "thief"}, timeout=30) as answer:
        ended = next(line for line in answer.iter_lines() if "process_completed" in line)
    assert '"success":false' in ended.replace(" ", "") and "codec" not in ended
    assert (tmp_path / "secret.pxcn").exists()


@pytest.mark.parametrize("payload", [None, 5, {}, {"path": 3}, {"path": ""}, {"url": "data:text/plain;base64,AAAA"}])
def test_a_file_that_is_none(payload):
    from demo.service.uploads import take_file

    with pytest.raises(UserError, match="choose a file"):
        take_file(payload, 100)


def test_a_large_file_is_not_read_and_is_deleted(tmp_path, monkeypatch):
    from demo.service import uploads

    monkeypatch.setattr(uploads, "PREVIEW_SECONDS", 0)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))  # Gradio's upload folder
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "file").write_bytes(bytes(200))
    before = set(threading.enumerate())
    with pytest.raises(UserError, match="limit"):
        uploads.take_file({"path": str(tmp_path / "own" / "file")}, 100)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert not (tmp_path / "own").exists()


def test_the_heat_map_has_one_scale():
    bits = np.array([[0.0, 12.0], [24.0, 60.0]])
    colours = heat_colours(bits)
    assert colours.dtype == np.uint8 and colours.shape == (2, 2, 3)
    assert (colours[0, 0] == COLOURS[0]).all() and (colours[1, 0] == COLOURS[-1]).all()
    assert np.array_equal(colours[1, 0], colours[1, 1])
    ramp = heat_colours(np.linspace(0, 24, 25)[None])[0].sum(1)
    assert (np.diff(ramp.astype(int)) < 0).all(), "more bits are darker"


def test_accuracy_is_quoted_from_the_results_or_said_to_be_missing():
    odds, bits = {"cat": 0.75, "dog": 0.25}, {"cat": 100.0, "dog": 101.6}
    words = panels.classes_html(bits, odds, {"bayes_accuracy": 0.4321, "bayes_images": 1000})
    assert "first 1,000 test images" in words and "43.2%" in words and "guessing would give 50%" in words
    assert "not measured" in panels.classes_html(bits, odds, {})
    assert "Told <b>“cat”</b>, it needs 2 bits less than told “dog”" in words
    assert "+2 bits" in words and "75.0%" in words
    assert words.index("test images") < words.index("<table"), "what to expect stands above the bars"
    last = panels.classes_html({"cat": 500.0, "dog": 10.0, "frog": 320.0}, {"cat": 0, "dog": 1.0, "frog": 0}, {})
    assert last.index("dog</th>") < last.index("frog</th>") < last.index("cat</th>") and "+490 bits" in last


def test_a_format_that_beats_the_network_is_named():
    sizes = {"PNG": 900.0, "WebP, lossless": 700.0, "this PixelCNN": 800.0}
    assert "Here WebP needs fewer bytes than the network." in panels.sizes_html(sizes, 3072)
    assert "fewer bytes than" not in panels.sizes_html({**sizes, "this PixelCNN": 600.0}, 3072)


def test_the_cases_are_a_question_first():
    images = {name: np.zeros((4, 4, 3), np.uint8) for name in VARIANTS}
    words = panels.family_html(images, [3.0, 5.0, 0.25, 1.0, 3.5], VARIANTS[0])
    assert 'class="guess"' in words
    assert "The likeliest is its mean colour</b>: 0.25 bits, a probability of 84&nbsp;%" in words
    assert words.count("<b>Right.</b>") == 1 and "<b>Right.</b> You guessed its mean colour." in words
    assert "<b>Not this one.</b> You guessed its pixels shuffled: 5.00 bits, a probability of 3.1&nbsp;%" in words
    assert 'class="guess told"' in panels.family_html(images, [3.0, 5.0, 0.25, 1.0, 3.5], VARIANTS[1])


def test_told_and_untold_stand_beside_each_other():
    words = panels.told_html({"bits_per_dim_test": 3.4969, "bits_per_dim_test_unconditional": 3.5093})
    assert "3.50 is told the class of each test image; told no class, as on this tab, it needs 3.51." in words
    assert panels.told_html({"bits_per_dim_test": 3.5}) == ""


def test_what_was_decoded_again_is_compared():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert "Decoded again: identical, 0 pixels differ." in panels.coded_html(b"1234", image, image, 2.0, 2, 0.1, "")
    assert "Of these 2 are the picture; 2 say which model" in panels.coded_html(b"1234", image, image, 2.0, 2, 0.1, "")
    other = image.copy()
    other[1, 2, 0] ^= 1
    assert "Decoded again: not identical, 1 pixels differ." in panels.coded_html(b"1", image, other, 2.0, 2, 0.1, "")
    grey = np.full((4, 4, 3), 7, np.uint8)
    assert "identical, 0 pixels" in panels.coded_html(b"1234", grey, grey[..., 0], 2.0, 2, 0.1, "")


def test_the_headline_is_computed(likelihood, cat):
    image = likelihood.fit(cat)
    reading = likelihood.read(image)
    words = panels.headline_html(reading)
    assert f"{reading.bits.sum() / 8:,.0f} bytes</b>" in words and f"<b>{reading.sizes['PNG']:,}</b>" in words
    better = reading.sizes["this PixelCNN"] < reading.sizes["PNG"]
    assert ("needs only" in words) != better


def test_a_caption_says_why_it_is_so_sure():
    bits = {"cat": 100.0, "dog": 110.0}
    for variant in VARIANTS:
        assert panels.CERTAIN[variant] in panels.classes_html(bits, {"cat": 0.999, "dog": 0.001}, {}, variant)
        assert panels.CERTAIN[variant] not in panels.classes_html(bits, {"cat": 0.6, "dog": 0.4}, {}, variant)


def test_the_codec_is_measured_by_its_command_or_nothing_is_said():
    table = {"images": 300, "header_bytes": 26, "hardware": "CPU, 1 threads",
             "seconds_per_image": {"compress": 0.2, "decompress": 0.25},
             "bytes_per_image": {"raw": 3072, "png": 2256.7, "webp_lossless": 1820.1, "pixelcnn": 1440.4,
                                 "pixelcnn_payload": 1414.4, "ideal": 1410.2},
             "bits_per_dim": {"raw": 8.0, "png": 5.88, "webp_lossless": 4.74, "pixelcnn": 3.75}}
    words = panels.measured_html(table)
    assert "(CPU, 1 threads)" in words
    assert "300 test images" in words and "4.2 bytes above" in words and "1,440</b> bytes" in words
    assert "100 images in one" not in words
    assert panels.measured_html({}) == "" and panels.measured_html({"bytes_per_image": 5}) == ""


def test_without_a_colour_model_and_with_damaged_weights(tmp_path):
    import gradio as gr

    from demo.tabs.likelihood import tab as likelihood_tab

    save_tiny(tmp_path / "grey" / "g", channels=1)
    save_tiny(tmp_path / "bad" / "photos")
    weights = tmp_path / "bad" / "photos" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    shown = {}
    for folder in ("grey", "bad"):
        with gr.Blocks() as page:
            likelihood_tab.build(page, Service(tmp_path / folder))
        shown[folder] = " ".join(str(block.value) for block in page.blocks.values() if hasattr(block, "value"))
    assert "no colour model" in shown["grey"] and "damaged" in shown["bad"]


def test_every_bundled_picture_can_be_read(likelihood):
    for name in PICTURES:
        assert likelihood.read(likelihood.fit(bundled(name))).bits.min() > 0


def test_a_page_decodes_what_the_command_line_codes(service, likelihood):
    image = np.random.default_rng(0).integers(0, 256, (20, 35, 3), dtype=np.uint8)
    data = compress(service.model("photos"), image)
    assert np.array_equal(finished(likelihood.decompress(data)), decompress(service.model("photos"), data))
    assert "35 × 20 pixels" in panels.decoded_html(image, len(data), 0.1, "")


def test_the_network_is_asked_in_turn(service, page):
    """The figures of a new picture wait in the queue of the model, and hold its turn while they are worked out."""
    likelihood, held = LikelihoodService(service), []
    hook = torch.nn.modules.module.register_module_forward_hook(lambda *_: held.append(service.busy))
    try:
        likelihood.read(likelihood.fit(bundled("galaxies")))
        likelihood.costs(bundled("galaxies"))
    finally:
        hook.remove()
    assert held and all(held)
    image = next(number for number, part in page.components.items() if part["props"].get("elem_id") ==
                 "likelihood-image")
    drawing = [event for event in page.events if image in event["outputs"]]
    assert len(drawing) == 6 and all(event["queue"] for event in drawing)
