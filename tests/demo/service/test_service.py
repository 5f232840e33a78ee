"""The bridge to the core: what it draws, what it refuses, and that the model is free again whatever happens."""

import shutil
import threading
import time

import numpy as np
import pytest
import torch
from helpers import CLASSES, save_tiny, wait_until

from demo.service.bridge import Busy, Service
from demo.service.settings import UserError
from demo.web.warm_up import warm_up


def finish(service, **values):
    """The last progress of a request."""
    return list(service.stream(service.settings(values.pop("model", "photos"), **values)))[-1]


def test_rows_appear_one_after_another(service):
    seen = list(service.stream(service.settings("photos", images=2)))
    assert [progress.row for progress in seen] == list(range(1, 17))
    assert [progress.state for progress in seen] == ["sampling"] * 15 + ["done"]
    last = seen[-1]
    assert last.images.shape == (3, 2, 16, 16, 3) and last.images.dtype == np.uint8
    for progress in seen:
        assert not progress.images[:, :, progress.row:].any()
        assert (progress.images[:, :, :progress.row] == last.images[:, :, :progress.row]).all()
    assert last.images_per_second > 0


def test_grey_levels_are_stretched_to_bytes(service):
    images = finish(service, model="digits", temperature=2).images
    assert images.shape == (10, 4, 8, 8, 1)
    assert set(np.unique(images)) <= {round(255 * level / 16) for level in range(17)}


def test_the_same_seed_draws_the_same_image_among_other_classes_and_more_images(service):
    all_of_them = finish(service, images=3, seed=5).images
    some = finish(service, images=2, seed=5, classes=["ship", "dog"]).images
    assert (some == all_of_them[[CLASSES.index("dog"), CLASSES.index("ship")], :2]).all()
    assert (finish(service, images=3, seed=6).images != all_of_them).any()


def test_same_noise_for_every_class(service):
    images = finish(service, same_noise=True, guidance=0).images  # guidance 0 leaves out the class: only noise is left
    assert (images == images[:1]).all()
    assert (images[:, 0] != images[:, 1]).any()


def test_no_class_is_the_model_without_condition(service):
    alone = finish(service, classes=["no class"], same_noise=True).images
    unguided = finish(service, classes=["cat"], same_noise=True, guidance=0).images
    assert (alone == unguided).all()


def test_the_environment_says_where_what_and_how_long(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("PIXELCNN_DEVICE", "meta")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("PIXELCNN_MODELS", "~/models")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    for text, seconds in (("7.5", 7.5), ("abc", 120), ("-3", 120), ("0", 120), ("nan", 120)):
        monkeypatch.setenv("PIXELCNN_BUDGET_SECONDS", text)
        caplog.clear()
        service = Service()
        assert service.budget == seconds and ("PIXELCNN_BUDGET_SECONDS" in caplog.text) == (seconds == 120)
    assert service.device.type == "meta" and service.folder == tmp_path / "models"
    assert torch.backends.cudnn.allow_tf32 is False, "what the page draws and scores is exact on a GPU too"
    assert not Service(tmp_path / "nowhere").names and "no folder" in caplog.text
    monkeypatch.setenv("PIXELCNN_DEVICE", "abacus")
    with pytest.raises(ValueError, match="no device 'abacus'"):
        Service()


def test_closing_frees_the_model(service):
    stream = service.stream(service.settings("photos"))
    next(stream)
    assert service.busy
    stream.close()
    assert not service.busy


def test_one_request_at_a_time_and_a_clear_answer_to_who_waits_too_long(service):
    service.patience = 0.3
    first = service.stream(service.settings("photos"))
    next(first)
    second = service.stream(service.settings("digits"))
    assert next(second).state == "waiting"
    with pytest.raises(Busy, match="busy"):
        for _ in second:
            pass
    first.close()
    assert finish(service).state == "done"


def test_a_waiting_request_gets_its_turn(service):
    service.row_seconds = 0.05
    results = []
    threads = [threading.Thread(target=lambda: results.append(finish(service, images=1).state)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert results == ["done", "done"]


def test_the_time_budget_ends_a_request_with_what_there_is(service):
    service.row_seconds, service.budget = 0.1, 0.35
    begun = time.monotonic()
    progress = finish(service)
    assert progress.state == "out of time" and 2 <= progress.row < 16
    assert time.monotonic() - begun < 1.5 and not service.busy


@pytest.mark.parametrize("name", ["../../etc", "../photos", "photos/", "/etc/passwd", "gpt2", "", "a\0b", 5, ["photos"],
                                  {"a": 1}, "x" * 10**6], ids=lambda name: repr(name)[:20])
def test_only_listed_models_exist(service, name):
    with pytest.raises(UserError, match="no model") as error:
        service.settings(name)
    assert len(str(error.value)) < 150


def test_damaged_checkpoints(tmp_path, models):
    save_tiny(tmp_path / "good")
    for name in ("cut", "foreign", "config"):
        shutil.copytree(tmp_path / "good", tmp_path / name)
    cut, config = tmp_path / "cut" / "model.safetensors", tmp_path / "config" / "config.json"
    cut.write_bytes(cut.read_bytes()[:100])
    config.write_text("{", encoding="utf-8")
    shutil.copy(models / "digits" / "model.safetensors", tmp_path / "foreign")
    (tmp_path / "empty").mkdir()
    service = Service(tmp_path)
    assert service.names == ["good"]
    weights = bytearray((tmp_path / "good" / "model.safetensors").read_bytes())
    weights[-3] ^= 1  # what the header cannot tell is found when the weights are loaded
    (tmp_path / "good" / "model.safetensors").write_bytes(weights)
    with pytest.raises(UserError, match="files are damaged"):
        finish(service, model="good")
    assert not service.busy


def test_an_empty_folder_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match="pixelcnn_core train"):
        Service(tmp_path).settings()


def test_the_folder_can_be_named_in_the_environment(monkeypatch, models):
    monkeypatch.setenv("PIXELCNN_MODELS", str(models))
    assert Service().names == ["photos", "digits"]


def test_warm_up_leaves_the_model_free(models):
    service = Service(models)
    warm_up(service).join(60)
    assert wait_until(lambda: not service.busy, 1)
    assert set(service._models) == {"photos", "digits"}


def test_the_turn_is_released_even_if_closing_fails(service):
    class Stubborn:
        def __iter__(self):
            return iter([np.zeros(0)])

        def close(self):
            raise RuntimeError("cannot be closed")

    with pytest.raises(RuntimeError, match="cannot be closed"):
        for _ in service.serve("photos", lambda model: Stubborn(), 1):
            pass
    assert not service.busy
    assert list(service.stream(service.settings("photos", images=1)))[-1].state == "done"


def test_a_picture_that_is_not_finished_is_not_used(service):
    from demo.kit.picture_chooser import drawing, drawn

    service.row_seconds, service.budget = 0.02, 0.001
    with pytest.raises(UserError, match="no time to finish"):
        drawn(list(drawing(service, 3))[-1])
