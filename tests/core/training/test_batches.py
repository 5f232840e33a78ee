"""What a step of training sees: shifts, vectors of other photos and their noise, noisy smaller pictures."""

import torch
from tiny_runs import tiny_recipe

from pixelcnn_core.data.image_data import ImageData
from pixelcnn_core.faces.tables import partners, split_of, tenth
from pixelcnn_core.models.upscaler import halved
from pixelcnn_core.training.batches import batch_of

NAMES = ["a", "a", "a", "b", None, "c", "c", None] * 4


def faces(count: int = 32) -> ImageData:
    """Made-up images, every one with a vector that tells its number."""
    images = torch.randint(256, (count, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    numbers = torch.arange(count).float()[:, None].expand(-1, 4)
    return ImageData(images, torch.full((count,), -1), (), embeddings=numbers * 10, identities=NAMES[:count],
                     partners=partners(NAMES[:count]))


def seen(step: int = 0, **changes):
    return batch_of(tiny_recipe(data="faces", batch=16, flips=False, **changes), faces(), step)


def test_partners_are_other_photos_of_the_same_person_or_the_only_one():
    found = partners(["a", "a", "b", None, "a"], count=5)
    assert found.shape == (5, 5)
    assert set(found[0].tolist()) <= {1, 4} and set(found[4].tolist()) <= {0, 1}
    assert found[2].tolist() == [2] * 5 and found[3].tolist() == [3] * 5


def test_an_image_may_get_the_vector_of_another_photo_of_the_person():
    index = (seen()[1].embedding[:, 0] / 10).long()  # without other photos, each its own
    other = (seen(other_photos=1.0)[1].embedding[:, 0] / 10).long()
    names = [NAMES[k] for k in index]
    assert [NAMES[k] for k in other] == names
    changed = index != other
    assert not any(changed[k] for k, name in enumerate(names) if name is None) and changed.any()
    some = (seen(other_photos=0.3)[1].embedding[:, 0] / 10).long()
    assert 0 < (some != index).sum() < changed.sum() + 1


def test_noise_on_the_vectors_has_the_size_asked_for_and_is_the_same_again():
    clean, noisy = (seen(embedding_noise=size)[1].embedding for size in (0.0, 0.5))
    assert 0.3 < (noisy - clean).std() < 0.7
    assert torch.equal(noisy, seen(embedding_noise=0.5)[1].embedding)
    assert not torch.equal(noisy - clean, seen(1, embedding_noise=0.5)[1].embedding - seen(1)[1].embedding)


def test_an_upscaler_is_given_smaller_pictures_half_of_them_noisy():
    images, condition, _ = seen(kind="upscaler", smaller_noise=0.1)
    change = (condition.map - halved(images)).abs().amax((1, 2, 3))
    assert condition.map.shape == (16, 3, 4, 4) and condition.map.min() >= 0 and condition.map.max() <= 255
    assert 3 <= (change == 0).sum() <= 13 and change.max() > 5
    assert torch.equal(seen(kind="upscaler")[1].map, halved(images).float())


def test_shifts_move_each_image_by_itself_and_no_further_than_asked():
    images, shifted = seen()[0], seen(shifts=2)[0]
    padded = torch.nn.functional.pad(images.float(), [2] * 4, mode="reflect").byte()
    places = [[(y, x) for y in range(5) for x in range(5) if torch.equal(padded[k, :, y:y + 8, x:x + 8], shifted[k])]
              for k in range(16)]
    assert all(len(found) == 1 for found in places) and len({found[0] for found in places}) > 5


def test_processes_share_one_batch():
    recipe = tiny_recipe(data="faces", batch=16, kind="upscaler", shifts=1, embedding_noise=0.2, other_photos=0.5,
                         smaller_noise=0.1)
    whole, halves = batch_of(recipe, faces(), 3), [batch_of(recipe, faces(), 3, process, 2) for process in range(2)]
    assert torch.equal(torch.cat([half[0] for half in halves]), whole[0])
    for part in ("embedding", "map"):
        assert torch.equal(torch.cat([getattr(half[1], part) for half in halves]), getattr(whole[1], part))


def test_every_person_is_in_one_split():
    names = [f"person {k}" for k in range(2000)]
    shares = {split: sum(split_of(name) == split for name in names) / 2000 for split in ("train", "validation", "test")}
    assert 0.77 < shares["train"] < 0.83 and 0.08 < shares["validation"] < 0.12 and 0.08 < shares["test"] < 0.12
    assert split_of(None) == "train" and all((split_of(name) == "test") == (tenth(name) == 0) for name in names)
