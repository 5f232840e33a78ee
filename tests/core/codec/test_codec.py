"""The codec: byte-exact round trips, the same bits everywhere, and an error instead of a wrong image."""

import copy
import os
import platform
import subprocess
import sys
import zlib
from pathlib import Path

import constriction
import numpy as np
import pytest
import torch
import typeguard
from PIL import Image

from pixelcnn_core.codec import arithmetic, codec
from pixelcnn_core.codec import format as codec_format
from pixelcnn_core.codec.codec import HEADER_BYTES, CodecError, compress, decompress, model_hash, quantise, read_header
from pixelcnn_core.sampling.cached.sampler import CachedSampler
from pixelcnn_core.sampling.sample import finish, sample_rows, uniforms_from_seed
from tests.conftest import small_model

ROOT = Path(__file__).parents[3]
rng = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model():
    """float32, as bundled checkpoints are loaded; 256 levels, tiles of 5 x 5."""
    return small_model(levels=256, classes=3).float()


def random_image(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


IMAGES = {
    "one tile": random_image(5, 5, 3), "grey": random_image(7, 6), "equal colours": random_image(6, 4, 1).repeat(3, 2),
    "1 x 1": random_image(1, 1, 3), "1 x 1, grey": random_image(1, 1), "one row": random_image(1, 13, 3),
    "one column": random_image(13, 1), "constant": np.full((6, 11, 3), 200, np.uint8),
    "black": np.zeros((5, 5), np.uint8),
    "more tiles than go in step": random_image(42, 39, 3), "not contiguous": random_image(9, 8, 3)[::-1, ::2],
}


@pytest.mark.parametrize("name", IMAGES)
def test_round_trip(model, name):
    image = IMAGES[name]
    data = compress(model, image)
    back = decompress(model, data)
    assert back.dtype == np.uint8 and back.shape == image.shape and np.array_equal(back, image)
    header = read_header(data)
    assert (header.height, header.width) == image.shape[:2]
    assert header.channels == (3 if image.ndim == 3 else 1)


def test_a_real_picture_with_the_bundled_model_takes_what_the_likelihood_says():
    from pixelcnn_core import GatedPixelCNN

    bundled = GatedPixelCNN.from_pretrained(str(ROOT / "demo" / "assets" / "models" / "cifar10"))
    picture = np.asarray(Image.open(ROOT / "demo" / "assets" / "pictures" / "cat.png").convert("RGB"))
    data = compress(bundled, picture)
    assert np.array_equal(decompress(bundled, data), picture)
    with torch.inference_mode():
        x = torch.from_numpy(picture.transpose(2, 0, 1).copy())[None]
        ideal = bundled.bits_per_sub_pixel(x).double().sum().item() / 8
    assert ideal <= len(data) - HEADER_BYTES + 1 <= ideal * 1.002 + 10
    assert len(data) < len(picture.tobytes()) * 0.6


def test_a_grey_model_with_few_levels():
    digits = small_model(channels=1, levels=17).float()
    image = random_image(8, 9) % 17
    assert np.array_equal(decompress(digits, compress(digits, image)), image)
    colours = image[:, :, None].repeat(3, 2)
    assert np.array_equal(decompress(digits, compress(digits, colours)), colours)
    with pytest.raises(CodecError, match="0 to 16"):
        compress(digits, image + 10)
    with pytest.raises(CodecError, match="grey"):
        compress(digits, random_image(4, 4, 3) % 17)


def test_equal_colours_are_coded_once(model):
    grey = random_image(20, 20)
    one, three = compress(model, grey), compress(model, grey[:, :, None].repeat(3, 2))
    assert len(one) == len(three) < len(compress(model, random_image(20, 20, 3))) / 2


def test_what_sticks_out_of_the_image_costs_nothing(model):
    """The pixels of a 1-pixel-wide image in a tile 5 wide: 20 of 25 are not coded."""
    assert len(compress(model, random_image(5, 1, 3))) < len(compress(model, random_image(5, 5, 3))) / 2


def test_the_frequencies_are_integers_that_follow_the_softmax():
    logits = torch.from_numpy(np.random.default_rng(3).normal(0, 4, (50, 256)))
    logits[0, :] = 0
    logits[1, 7] = 5000  # every other probability underflows
    frequencies = quantise(logits.numpy())
    assert frequencies.dtype == np.int64 and frequencies.min() >= 1
    assert (frequencies.sum(1) == 2**codec.PRECISION).all()
    expected = torch.softmax(logits, 1).numpy() * 2**codec.PRECISION
    assert np.abs(frequencies - expected).max() < 300
    assert frequencies[1, 7] == 2**codec.PRECISION - 255


def test_the_coder_uses_exactly_these_frequencies():
    """A range decoder's first 24 bits are the quantile that it looks up: ask it on both sides of the boundaries."""
    frequencies = quantise(np.random.default_rng(4).normal(0, 3, (1, 17)))
    ends = np.cumsum(frequencies[0])
    for level, (start, end) in enumerate(zip([0, *ends[:-1]], ends)):
        for quantile in (start, end - 1):
            decoder = constriction.stream.queue.RangeDecoder(np.array([quantile << 8, 0], np.uint32))
            assert decoder.decode(codec.ODDS, codec.weights(frequencies))[0] == level


def test_deciding_step_by_step_is_the_sampler_itself():
    """The logits that a caller gets are those from which the sampler draws: the same images from the same noise."""
    from pixelcnn_core.sampling.cached.numba_math import draw

    own = small_model(levels=9, classes=2).float()
    noise = uniforms_from_seed(5, 3, own.config)
    scratch, whole = (np.empty(64), np.empty(64)), (0.0, 1.0, 0)  # nothing is cut from the distribution

    def choose(logits, row, column, channel):
        draws = zip(logits, noise[:, channel, row, column].numpy())
        return np.array([draw(one, u, 1.0, whole, *scratch) for one, u in draws])

    engine = CachedSampler(own, None, 3)
    assert torch.equal(finish(engine.decide(choose)), finish(sample_rows(own, batch=3, uniforms=noise)))
    with pytest.raises(ValueError, match="guidance"):
        next(CachedSampler(own, None, 1, guidance=2.0).decide(choose))


def test_the_same_bytes_for_any_number_of_threads_and_tiles_in_step(model, monkeypatch):
    """Tiles grouped otherwise come in another order in the file, so here they are compared one by one."""
    image, before = random_image(10, 15, 3), torch.get_num_threads()
    data = {}
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            data[threads] = compress(model, image)
            assert np.array_equal(decompress(model, data[1]), image)
    finally:
        torch.set_num_threads(before)
    assert data[1] == data[2] == data[5]

    seen = {}
    for tiles in (1, 4, 64):
        monkeypatch.setattr(codec, "TILES_IN_STEP", tiles)
        frequencies = seen[tiles] = {}

        def code(odds, rows, columns, channel, seen=frequencies):
            seen.update({(r, c, channel): tuple(odd) for r, c, odd in zip(rows, columns, odds)})
            return image[rows, columns, channel]

        codec.finished(codec.walk(model, 10, 15, False, code))
    assert len(seen[1]) == image.size and seen[1] == seen[4] == seen[64]


def test_another_process_decodes_it(model, tmp_path):
    model.save_pretrained(tmp_path / "model")
    stored = type(model).from_pretrained(tmp_path / "model")
    image = random_image(8, 12, 3)
    Image.fromarray(image).save(tmp_path / "image.png")

    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-m", "pixelcnn_core", *arguments, "--model", str(tmp_path / "model")],
                              cwd=ROOT, capture_output=True, encoding="utf-8")

    (tmp_path / "image.pxcn").write_bytes(compress(stored, image))
    done = run("decompress", str(tmp_path / "image.pxcn"), str(tmp_path / "back.png"))
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.asarray(Image.open(tmp_path / "back.png")), image)


def test_damage_anywhere_is_found(model):
    data = compress(model, random_image(4, 5, 3))
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(CodecError):
            decompress(model, bytes(damaged))
    for length in range(len(data)):
        with pytest.raises(CodecError):
            decompress(model, data[:length])
    for other in (data + b"x", data + bytes(4), b"GIF89a" + bytes(40)):
        with pytest.raises(CodecError):
            decompress(model, other)


def with_new_checksum(data: bytes) -> bytes:
    return data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "little")


def test_a_forged_file_is_never_a_wrong_image(model):
    """Damage that comes with a fitting checksum, as a faulty encoder or another processor would make it."""
    image = random_image(4, 5, 3)
    data = compress(model, image)
    for place in range(codec_format.HEAD.size, len(data) - 4):
        forged = bytearray(data)
        forged[place] ^= 0x10
        try:
            assert np.array_equal(decompress(model, with_new_checksum(bytes(forged))), image)
        except CodecError as error:
            assert "altered" in str(error)
    with pytest.raises(CodecError, match="version 9"):
        decompress(model, with_new_checksum(data[:4] + b"\x09" + data[5:]))
    with pytest.raises(CodecError, match="header"):
        decompress(model, with_new_checksum(data[:5] + b"\x02" + data[6:]))
    with pytest.raises(CodecError, match="million"):
        decompress(model, with_new_checksum(data[:6] + b"\xff" * 4 + data[10:]))
    with pytest.raises(CodecError, match="length"):
        decompress(model, with_new_checksum(data + b"x"))


def test_a_file_of_the_first_version_is_refused_with_the_reason(model):
    data = compress(model, random_image(4, 5, 3))
    with pytest.raises(CodecError, match="version 1 of the format, whose odds depended on the processor"):
        read_header(with_new_checksum(data[:4] + b"\x01" + data[5:]))


def test_a_colour_profile_comes_back(model):
    image, profile = random_image(4, 5, 3), bytes(range(256)) * 5
    data = compress(model, image, profile)
    assert read_header(data).profile == profile and np.array_equal(decompress(model, data), image)
    assert len(data) < len(compress(model, image)) + 400, "it is packed"
    assert read_header(compress(model, image)).profile == b""
    for place in range(codec_format.HEAD.size, codec_format.HEAD.size + 60):
        forged = bytearray(data)
        forged[place] ^= 0x10
        with pytest.raises(CodecError, match="altered"):
            decompress(model, with_new_checksum(bytes(forged)))
    with pytest.raises(CodecError, match="convert the image to sRGB"):
        compress(model, image, bytes(2**22 + 1))
    packed = zlib.compress(bytes(2**30))  # a megabyte that would be a gigabyte
    head = codec_format.HEAD.pack(b"PXCN", 2, 5, 4, 5, model_hash(model), 0)
    with pytest.raises(CodecError, match="profile"):
        read_header(with_new_checksum(head + len(packed).to_bytes(4, "little") + packed + bytes(4)))


def test_other_arithmetic_is_told_from_an_altered_file(model, monkeypatch):
    data, exact = compress(model, random_image(9, 9, 3)), arithmetic.quantise

    def other(logits):
        return exact(logits * np.float32(1.001))

    monkeypatch.setattr(codec, "quantise", other)
    with pytest.raises(CodecError, match="altered"):
        decompress(model, data)
    monkeypatch.setattr(arithmetic, "quantise", other)
    arithmetic.arithmetic_is_exact.cache_clear()
    try:
        with pytest.raises(CodecError, match="this machine's arithmetic is not that of IEEE 754"):
            decompress(model, data)
        with pytest.raises(CodecError, match="this machine's arithmetic"):
            compress(model, random_image(9, 9, 3))
    finally:
        arithmetic.arithmetic_is_exact.cache_clear()


def test_this_machine_meets_the_odds_of_every_other():
    assert arithmetic.check() == arithmetic.CHECK


@pytest.mark.slow
def test_a_processor_without_fused_multiply_add_meets_them_too(tmp_path):
    """"generic" has no such operation, and vectors of two numbers; this machine may have both and wider ones."""
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("needs an x86 processor")
    code = "from pixelcnn_core.codec import arithmetic as a; print(a.check() == a.CHECK)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8",
                          env={**os.environ, "NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(tmp_path)})
    assert done.stdout.strip() == "True", done.stderr


def test_the_terms_of_the_position_are_worked_out_exactly():
    """Cosines with few digits: nearly those of the model, and no library in between."""
    model = small_model(levels=256, position=3).float()
    with torch.inference_mode():
        for term, own in zip(arithmetic.position_terms(model), model.condition_terms(None, 1, (5, 5)), strict=True):
            assert term.shape == own.shape and torch.allclose(term, own, atol=1e-4)
    image = random_image(7, 6, 3)
    assert np.array_equal(decompress(model, compress(model, image)), image)
    assert "condition_terms" not in vars(model), "the model that was given stays as it is"


def test_weights_in_half_precision_are_one_sentence(model):
    data = compress(model, random_image(5, 5, 3))
    for half in (copy.deepcopy(model).half(), copy.deepcopy(model).bfloat16()):
        with pytest.raises(CodecError, match="call model.float.. first"):
            compress(half, random_image(5, 5, 3))
        with pytest.raises(CodecError, match="call model.float.. first"):
            decompress(half, data)


def test_another_model_is_refused(model):
    data = compress(model, random_image(5, 5, 3))
    other = small_model(levels=256, classes=3).float()
    assert model_hash(other) == model_hash(model)
    other.head2.bias.data[0] += 1e-3
    with pytest.raises(CodecError, match="another model"):
        decompress(other, data)
    with pytest.raises(CodecError, match="another model"):
        decompress(small_model(levels=256, classes=4).float(), data)


@pytest.mark.parametrize("image", [np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4)),
                                   np.zeros(7, np.uint8), None, np.zeros((1, 70000), np.uint8)])
def test_what_is_no_image_is_refused(model, image):
    with typeguard.suppress_type_checks(), pytest.raises(CodecError):
        compress(model, image)
