"""The Auto-encoder tab: codes, draws and answers of both decoders, edits, paths, and what the page says."""

import re

import numpy as np
import pytest
import torch
from gradio_client import Client
from helpers import save_tiny_codes
from test_face_tabs import images_of

from demo.kit.pictures import PICTURES, bundled
from demo.kit.stored import fingerprint
from demo.service.settings import UserError
from demo.tabs.autoencoder.panels import codes_html, results_html, squared_error
from demo.tabs.autoencoder.service import FOLDER, CodeService
from demo.tabs.autoencoder.stored import FACTS, read_codes
from demo.tabs.autoencoder.tab import MISSING
from pixelcnn_core.autoencoder.model import AutoEncoder, MSEAutoEncoder
from pixelcnn_core.results import read_json, read_results
from pixelcnn_core.sampling.sample import finish, sample

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
    assert (finish(sample(model.decoder, condition, seed=5)).permute(0, 2, 3, 1).numpy() == images[0]).all()
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
        expected = [model.decoder.bits_per_dim(tensor(CAT), given).item() for given in (condition, None)]
    assert codes.bits(6, CAT) == pytest.approx(expected, abs=1e-4)


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
    assert stored.bits[0] == pytest.approx(codes.bits(6, bundled(stored.pictures[0])), abs=1e-3)
    assert read_codes(autoencoders / "autoencoder-4") is None


def test_the_error_below_a_picture_counts_from_black_to_white():
    black, white = np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 255, np.uint8)
    assert squared_error(black, white) == 1 and squared_error(white, white) == 0
    words = codes_html(black, white, np.stack([black, white]))
    assert re.findall(r"error ([\d.]+)", words) == ["1.000", "0.000", "1.000"]
    assert "error 1" not in codes_html(black, white, white[None], edited=True), "an edited code has no original"


def test_the_table_quotes_the_result_files(codes):
    table = results_html(list(codes.infos.values()))
    for words in ("1,238", "1,240", "0.0456", "0.0234", "31%", "42%", "83%", "0.0123", "10,000", "47%", "0.0345",
                  "guidance 2.5"):
        assert words in table, words
    assert results_html([]) == ""


BUNDLED = sorted(path.parent for path in FOLDER.glob("*/config.json"))


@pytest.mark.parametrize("folder", BUNDLED, ids=lambda folder: folder.name)
def test_the_card_of_a_bundled_auto_encoder_quotes_its_results(folder):
    results, card = read_results(folder), (folder / "README.md").read_text(encoding="utf-8")
    assert f"{results['mse']:.4f}" in card and "not recorded" not in card and (folder / "samples.png").is_file()
    if not folder.name.startswith("mse"):
        for key in ("class_kept_pixelcnn", "class_kept_mse", "class_accuracy_real"):
            assert f"{results[key]:.1%}" in card, key
        assert f"{results['bits_per_dim_test']:.3f}" in card


@pytest.mark.parametrize("folder", [path for path in BUNDLED if not path.name.startswith("mse")],
                         ids=lambda folder: folder.name)
def test_the_stored_decodings_were_drawn_from_these_weights(folder):
    assert read_codes(folder).pictures == tuple(PICTURES)
    assert read_json(folder / FACTS)["weights"] == fingerprint(folder), "python -m demo.make_assets"


def test_the_page_says_how_to_train_what_is_missing():
    from pixelcnn_core.training.recipe import recipe_names

    assert set(re.findall(r"train ([\w-]+)", MISSING)) <= set(recipe_names())


def predict(url, *values, api_name: str):
    return Client(url, verbose=False).predict(*values, api_name=api_name)


def test_decode_code_as_an_endpoint(url, service, codes):
    stage, text, seed = predict(url, "4", "cat", 0, 1.5, 0, 0, 1, 1, 9, api_name="/decode_code")
    assert seed == 9 and "8 pictures" in text and "bits per dimension given its 4 numbers" in text
    assert len(images_of(stage)) == 10 and 'download="code-4_seed-9.png"' in stage
    picture = images_of(stage)[0][::5, ::5, :3]
    assert (picture == CAT).all(), "the original, enlarged"


def test_code_path_as_an_endpoint(url, service):
    strip, text, seed = predict(url, "4", 3, 2, True, 1, 1, 9, "cat", "rocket", api_name="/code_path")
    assert seed == 9 and "6 pictures" in text and "same noise" in text
    assert len(images_of(strip)) == 2 + 2 * 3 and 'download="code-path_seed-9.png"' in strip


def test_hostile_values_are_moved_into_range_or_get_a_sentence(url, service):
    stage, _, seed = predict(url, "4", "coffee", "NaN", 1e300, None, [], "hot", {}, -5, api_name="/decode_code")
    assert seed == 0 and len(images_of(stage)) == 10
    for size, name in (("7", "cat"), ("4", "../../etc/passwd"), ("4", ["cat"]), ({}, "cat")):
        with pytest.raises(Exception, match="no auto-encoder with this code|no such picture"):
            predict(url, size, name, 0, 0, 0, 0, 1, 1, 9, api_name="/decode_code")
    assert not service.busy
