"""The Auto-encoder tab: codes, draws and answers of both decoders, edits, paths, and what the page says."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from gradio_client import Client
from helpers import images_of, save_tiny, save_tiny_codes

from demo.kit.pictures import PICTURES, bundled
from demo.kit.stored import fingerprint
from demo.service.bridge import Service
from demo.service.settings import UserError
from demo.tabs.autoencoder.names import MEASURES, changes, distinct_names, naming
from demo.tabs.autoencoder.panels import bars_html, codes_html, ends_html, results_html, squared_error
from demo.tabs.autoencoder.record import direction_names
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.autoencoder.stored import FACTS, read_codes
from demo.tabs.autoencoder.subjects import FOLDER, faces, photos
from demo.tabs.autoencoder.tab import MISSING, Asked, moved_by, slider_labels
from pixelcnn_core.autoencoder.chain_autoencoder import ChainAutoEncoder
from pixelcnn_core.autoencoder.evaluation import TWIN
from pixelcnn_core.autoencoder.model import AutoEncoder, AutoEncoderConfig, MSEAutoEncoder
from pixelcnn_core.models.chain import CHAIN_FILE
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.models.upscaler import Upscaler, UpscalerConfig, halved
from pixelcnn_core.results import read_json, read_results
from pixelcnn_core.sampling.sample import finish, sample_rows

CAT, ROCKET = bundled("cat"), bundled("rocket")


@pytest.fixture(scope="module")
def codes(shared_service, autoencoders) -> CodeService:
    return CodeService(shared_service, autoencoders)


def last(stream) -> np.ndarray:
    *_, progress = stream
    assert progress.state == "done"
    return progress.images


def tensor(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None]


def test_only_whole_pairs_are_offered(codes, tmp_path, shared_service):
    assert codes.sizes == [4, 6]
    save_tiny_codes(tmp_path, 5)
    (tmp_path / "mse-autoencoder-5" / "config.json").unlink()
    assert CodeService(shared_service, tmp_path).sizes == []
    for nonsense in (5, None, "../4", [4], float("nan"), {}):
        with pytest.raises(UserError, match="choose one of 4, 6 numbers"):
            codes.info(nonsense)


def test_draws_are_those_of_the_auto_encoder(codes, autoencoders, service):
    images = last(codes.decodings(4, CAT, 2, [], 5, 1.0, 1.0))
    assert images.shape == (1, 2, 32, 32, 3)
    model = AutoEncoder.from_pretrained(autoencoders / "autoencoder-4")
    with torch.no_grad():
        condition = model.condition(model.encode(tensor(CAT).repeat(2, 1, 1, 1)))
    assert (finish(sample_rows(model.decoder, condition, seed=5)).permute(0, 2, 3, 1).numpy() == images[0]).all()
    guess = MSEAutoEncoder.from_pretrained(autoencoders / "mse-autoencoder-4").reconstruct(tensor(CAT))
    assert (guess[0].permute(1, 2, 0).numpy() == codes.best_guess(4, CAT)).all()


def test_an_edit_moves_both_codes_by_deviations(codes):
    for model, steps in ((codes.pixelcnn(4), codes.info(4).pixelcnn_steps), (codes.mse(4), codes.info(4).mse_steps)):
        own, moved = codes.code(model, CAT, steps), codes.code(model, CAT, steps, [0, -1.5])
        assert torch.allclose(moved - own, torch.from_numpy(-1.5 * steps[1]).float(), atol=1e-4)
    assert (codes.best_guess(4, CAT, [3, 0, 0, 0]) != codes.best_guess(4, CAT)).any()


def test_an_edit_with_the_same_noise_changes_the_draws(codes, service):
    own, moved = (last(codes.decodings(4, CAT, 1, edits, 5, 1.0, 1.0)) for edits in ([], [3.0]))
    assert (own != moved).any()


def test_a_path_begins_and_ends_with_the_codes_of_the_pictures(codes, service):
    images = last(codes.path(4, CAT, ROCKET, 3, 2, True, 5, 1.0, 1.0))
    assert images.shape == (3, 2, 32, 32, 3)
    for picture, column in ((CAT, images[0]), (ROCKET, images[-1])):
        assert (last(codes.decodings(4, picture, 2, [], 5, 1.0, 1.0))[0] == column).all(), "the same noise and code"
    guesses = codes.best_guesses(4, CAT, ROCKET, 3)
    assert (guesses[0] == codes.best_guess(4, CAT)).all() and (guesses[2] == codes.best_guess(4, ROCKET)).all()


def test_noise_is_shared_by_the_columns_only_on_request(codes, service):
    same, own = (last(codes.path(4, CAT, CAT, 3, 1, shared, 5, 1.0, 1.0)) for shared in (True, False))
    assert (same[0] == same[1]).all() and (same[0] == same[2]).all(), "one code, one noise: one picture"
    assert (own[0] == same[0]).all() and (own[0] != own[1]).any()


def test_bits_are_those_of_the_decoder_with_and_without_the_code(codes):
    model = codes.pixelcnn(6)
    with torch.no_grad():
        condition = model.condition(model.encode(tensor(CAT)))
        expected = [model.decoder.bits_per_dim(tensor(CAT), given).item() * 3072 for given in (condition, None)]
    assert codes.bits(6, CAT) == pytest.approx(expected, rel=1e-5)


@pytest.fixture(scope="module")
def through_chain(tmp_path_factory) -> CodeService:
    """A code of 4 numbers for 8 x 8 pixels, with a chain of classes from 8 to 32, beside one of whole pictures."""
    folder = tmp_path_factory.mktemp("through")
    decoder = {"features": 6, "layers": 2, "first_kernel_size": 3, "head_features": 12}
    save_tiny(folder / "models" / "chain" / "8", image_size=8)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        for size in (16, 32):
            Upscaler(UpscalerConfig(image_size=size, features=6, map_channels=6, decoder=decoder)).save_pretrained(
                folder / "models" / "chain" / str(size))
        coder = AutoEncoder(AutoEncoderConfig(image_size=8, code=4, features=4, map_channels=3, decoder=decoder))
    coder.save_pretrained(folder / "codes" / "small")
    (folder / "models" / "chain" / CHAIN_FILE).write_text(json.dumps({"steps": ["8", "16", "32"]}), encoding="utf-8")
    save_tiny_codes(folder / "codes", 4)
    return CodeService(Service(folder / "models", budget=60, patience=5), folder / "codes")


def test_a_code_of_small_pictures_is_drawn_through_the_chain(through_chain):
    info = through_chain.info(4)
    assert info.chain == "chain" and info.pixelcnn.name == "small", "it goes before that of whole pictures"
    moments = list(through_chain.decodings(4, CAT, 2, [], 5, 1.0, 1.0, 0.05))
    assert len(moments) == 8 + 16 + 32 and moments[-1].state == "done"
    assert moments[7].images.shape == (1, 2, 8, 8, 3), "the small picture first"
    model = ChainAutoEncoder.from_pretrained(info.pixelcnn, through_chain.service.folder / "chain")
    from pixelcnn_core.sampling.truncation import Truncation

    with torch.no_grad():
        codes = model.encode(tensor(CAT).repeat(2, 1, 1, 1))
    drawn = finish(model.draw(codes, seed=5, truncation=Truncation(0.05)))[32]
    assert (drawn.permute(0, 2, 3, 1).numpy() == moments[-1].images[0]).all()
    assert through_chain.bits(4, CAT) == pytest.approx(
        [model.bits(tensor(CAT), coded)[8].item() for coded in (True, False)], rel=1e-5)
    path = last(through_chain.path(4, CAT, ROCKET, 3, 2, True, 5, 1.0, 1.0, 0.05))
    assert (path[0] == moments[-1].images[0]).all()


def test_what_the_code_stands_for_is_shown_and_its_bits_are_counted_beside_the_twin(through_chain):
    small = halved(halved(tensor(CAT)))
    shown = through_chain.small(4, CAT)
    assert (shown == small[0].permute(1, 2, 0).numpy()).all()
    black = np.zeros((1, 32, 32, 3), np.uint8)
    words = codes_html(CAT, np.zeros(4), CAT, black, small=shown)
    assert "its 8 × 8 pixels" in words and "decides 8 × 8 pixels; <b>from here on everything is invented" in words
    given, dropped = through_chain.bits(4, CAT)
    save_tiny(through_chain.folder / TWIN, image_size=8, classes=0, class_names=(), layers=3)
    try:
        own, without = through_chain.bits(4, CAT)
        twin = GatedPixelCNN.from_pretrained(through_chain.folder / TWIN)
        with torch.no_grad():
            assert without == pytest.approx(twin.bits_per_dim(small).item() * 192, rel=1e-5)
        assert own == given and without != pytest.approx(dropped, rel=1e-5)
        assert through_chain.twin(32) is None, "it is one of small pictures"
    finally:
        shutil.rmtree(through_chain.folder / TWIN)


def test_whole_pictures_show_no_small_one(codes):
    assert codes.small(4, CAT) is None and codes.twin(32) is None


def test_the_mean_is_that_of_the_papers_draws(codes, service):
    images = last(codes.decodings(4, CAT, 6, [], 0, 1.0, 1.0))[0]
    assert np.abs(codes.mean_of_draws(4, CAT, 6) - images.astype(float).mean(0)).max() <= 0.5


def test_the_bars_are_the_code_and_a_moved_one_shows_both(codes):
    own, moved = codes.bars(4, CAT), codes.bars(4, CAT, [0, 2.0])
    step = codes.info(4).pixelcnn_steps
    assert own.shape == (4,)
    assert moved - own == pytest.approx(2 * step[1] / ((step ** 2).sum() / 4) ** 0.5, abs=1e-4)
    assert bars_html(own).count("<rect") == 4 and bars_html(moved, own).count("<rect") == 8
    assert "4 numbers, moved" in bars_html(moved, own)


def test_the_ends_of_a_slider_say_what_changes_most():
    grey, light = np.full((32, 32, 3), 90, np.uint8), np.full((32, 32, 3), 200, np.uint8)
    warm, above = grey.copy(), grey.copy()
    warm[..., 0], warm[..., 2], above[:16] = 200, 0, 220
    assert naming(grey, light) == ("dark", "bright") and naming(light, grey) == ("bright", "dark")
    assert naming(grey, warm) == ("cold", "warm")
    above[16:] = 0
    assert naming(grey, above) == ("bright below", "bright above")
    assert changes(grey, light) == pytest.approx([110 / 255, 0, 0, 0, 0])
    words = ends_html([grey, grey, light], 2.0, ("bright", "dark"))
    assert words.count("<img") == 3 and "+2: bright" in words and "moved by -2" in words
    assert ": bright" not in ends_html([grey, grey, light], 2.0, ("dark", "bright")), "the label says so already"


def test_the_names_of_directions_differ():
    alike = [np.array(values) for values in ([.9, .1, 0, 0, 0], [-.8, .2, 0, 0, 0], [.7, -.3, .1, 0, 0])]
    assert distinct_names(alike) == [("dark", "bright"), ("cold", "warm"), ("bright below", "bright above")]
    many = distinct_names(np.random.default_rng(0).normal(size=(5, len(MEASURES))) * [9, 1, 1, 1, 1])
    assert len(set(map(frozenset, many))) == 5, "nor do they differ by their order alone"


def test_the_sliders_have_the_stored_names(autoencoders, codes):
    stored = read_codes(autoencoders / "autoencoder-6")
    assert stored.names == direction_names(codes, 6) and len(stored.names) == 4
    named = replace(stored, names=[("dark", "bright"), ("bright below", "bright above")])
    assert slider_labels(named, 3) == ["Dark – bright", "Bright below – above", "Direction 3"]
    asked = Asked(6, CAT, "cat", [0, -1.5, 2.0])
    assert moved_by(named, asked) == "Code moved by Bright below – above -1.5, Direction 3 +2 – reset"
    assert slider_labels(None, 2) == slider_labels(replace(stored, names=[]), 2) == ["Direction 1", "Direction 2"]


def test_damaged_files_get_a_sentence(shared_service, tmp_path):
    save_tiny_codes(tmp_path, 5)
    (tmp_path / "autoencoder-5" / "model.safetensors").write_bytes(b"no weights")
    (tmp_path / "autoencoder-5" / "codes.json").write_text('{"directions": [[1]], "deviations": 3, "mse_steps": []}',
                                                          encoding="utf-8")
    codes = CodeService(shared_service, tmp_path)
    assert codes.info(5).directions == 0, "no sliders"
    with pytest.raises(UserError, match="autoencoder-5 cannot be loaded"):
        list(codes.decodings(5, CAT, 1, [], 0, 1.0, 1.0))
    assert not shared_service.busy


def test_the_stored_example_has_every_picture_and_its_bits(autoencoders, codes):
    stored = read_codes(autoencoders / "autoencoder-6")
    assert stored.pictures == tuple(PICTURES) and stored.images.shape == (len(PICTURES), 8, 32, 32, 3)
    assert stored.bits[0] == pytest.approx(codes.bits(6, bundled(stored.pictures[0])), rel=1e-3)
    assert stored.means.shape == (len(PICTURES), 32, 32, 3) and stored.draws == 64
    assert read_codes(autoencoders / "autoencoder-4") is None


def test_the_error_below_a_picture_counts_from_black_to_white():
    black, white = np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 255, np.uint8)
    assert squared_error(black, white) == 1 and squared_error(white, white) == 0
    code = np.zeros(4)
    words = codes_html(black, code, white, np.stack([black, white]), mean=(white, "mean of 9 draws"))
    assert re.findall(r'title="error ([\d.]+)"', words) == ["1.000", "0.000", "1.000", "1.000"], "in tooltips"
    assert re.findall(r"<figcaption>(nearest|farthest|error).*?</figcaption>", words) == ["nearest", "farthest"]
    assert "A draw is 0.500 away" in words and "mean of 9 draws 1.000" in words and "equally near" in words
    assert "falls short" in codes_html(black, code, white, black[None], mean=(black, "mean"))
    assert "even nearer" in codes_html(black, code, black, white[None], mean=(white, "mean"))
    assert "error 1" not in codes_html(black, code, white, white[None], own=code), "an edited code has no original"
    assert "error 0" not in codes_html(black, code, white, np.zeros((2, 8, 8, 3), np.uint8), rows_done=8).split(
        "code-draws")[1], "a small picture on the way is not compared"


def test_the_table_quotes_the_result_files(codes):
    table = results_html(list(codes.infos.values()), "CIFAR-10")
    for words in ("1,238", "1,240", "0.0456", "0.0234", "31%", "42%", "83%", "0.0123", "10,000", "47%", "0.0345",
                  "guidance 2.5"):
        assert words in table, words
    assert results_html([], "") == ""


def test_the_table_names_the_controls_and_the_minutes(codes):
    row = {"mse": 0.0987, "class_kept": 0.5, "sharpness": 0.02}
    minutes = {"pixelcnn": 6.1, "start": 4.0, "mse": 7.0}
    infos = [replace(info, chain="chain", results={
        **info.results, "mse_finer": row, "small_picture_given": {**row, "mse": 0.0876}, "minutes": minutes,
        "bits_per_dim_twin": 4.9}) for info in codes.infos.values()]
    table = results_html(infos, "CIFAR-10")
    assert table.count("then the chain") == 2 and table.count("from the true 8 × 8 picture") == 1
    for words in ("0.0987", "0.0876", "trained for 7 minutes", "for 6, after 4 of its encoder", "a twin"):
        assert words in table, words


# what the page shows; those that others start from, or are compared with, have no card of their own
BUNDLED = sorted(path.parent for path in FOLDER.glob("**/results.json"))


@pytest.mark.parametrize("folder", BUNDLED, ids=lambda folder: folder.relative_to(FOLDER).as_posix())
def test_the_card_of_a_bundled_auto_encoder_quotes_its_results(folder):
    results, card = read_results(folder), (folder / "README.md").read_text(encoding="utf-8")
    if "mse" not in results:
        pytest.skip("a twin without a code")
    assert f"{results['mse']:.4f}" in card and "not recorded" not in card and (folder / "samples.png").is_file()
    if not folder.name.startswith("mse"):
        judged = folder.parent == FOLDER  # faces have no class
        for key in ("class_kept_pixelcnn", "class_kept_mse", "class_accuracy_real") * judged:
            assert f"{results[key]:.1%}" in card, key
        assert f"{results['bits_per_dim_test']:.3f}" in card


@pytest.mark.parametrize("subject", [faces, photos])
def test_the_stored_decodings_were_drawn_from_these_weights(subject):
    service = Service()
    codes = CodeService(service, subject=subject(service))
    assert codes.sizes == [10, 100]
    for m in codes.sizes:
        check_stored(codes, m)


def check_stored(codes, m):
    folder = codes.info(m).pixelcnn
    assert read_codes(folder).pictures == codes.subject.pictures
    assert read_json(folder / FACTS)["weights"] == fingerprint(folder), "python -m demo.make_assets"


def test_the_page_says_how_to_train_what_is_missing():
    from pixelcnn_core.training.recipe import recipe_names

    assert set(re.findall(r"train ([\w-]+)", MISSING)) <= set(recipe_names())


def predict(url, *values, api_name: str):
    return Client(url, verbose=False).predict(*values, api_name=api_name)


def test_decode_code_as_an_endpoint(url, service, codes):
    stage, text, seed = predict(url, "4", "cat", 0, 0, 0, 0, 1, 1, 9, 0, api_name="/decode_code")
    assert seed == 9 and "8 pictures" in text and "given its 4 numbers" in stage
    stage, text, seed = predict(url, "4", "cat", 0, 1.5, 0, 0, 1, 1, 9, 0, api_name="/decode_code")
    assert seed == 9 and "8 pictures" in text and "bits" not in stage, "a moved code is that of no picture"
    assert len(images_of(stage)) == 11 and 'download="code-4_seed-9.png"' in stage
    picture = images_of(stage)[0][::5, ::5, :3]
    assert (picture == CAT).all(), "the original, enlarged"


def test_code_path_as_an_endpoint(url, service):
    strip, text, seed = predict(url, "4", 3, 2, True, 1, 1, 0, 9, "cat", "rocket", api_name="/code_path")
    assert seed == 9 and "6 pictures" in text and "same noise" in text
    assert len(images_of(strip)) == 2 + 2 * 3 and 'download="code-path_seed-9.png"' in strip


def test_hostile_values_are_moved_into_range_or_get_a_sentence(url, service):
    stage, _, seed = predict(url, "4", "coffee", "NaN", 1e300, None, [], "hot", {}, -5, [1], api_name="/decode_code")
    assert seed == 0 and len(images_of(stage)) == 11
    for size, name in (("7", "cat"), ("4", "../../etc/passwd"), ("4", ["cat"]), ({}, "cat")):
        with pytest.raises(Exception, match="no auto-encoder with this code|no such picture"):
            predict(url, size, name, 0, 0, 0, 0, 1, 1, 9, 0, api_name="/decode_code")
    assert not service.busy
