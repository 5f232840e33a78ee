"""Computes what the story shows, once: `python -m demo.tabs.story.make` writes `demo/assets/story/story.json`.

Everything comes from the bundled models. The picture was chosen by eye among `CHOSEN_FROM`, and the page says so; all
else about it (distributions, odds of a guess, redrawn edits) is the model's answer. Run it again after training: a test
compares the fingerprints of the weights.
"""

import json
from collections import deque
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from demo.kit.model_facts import model_name
from demo.kit.stored import StoredPortraits, fingerprint, read_portraits
from demo.service.bridge import Service
from demo.service.drawing import arranged, draw_rows, noise_of
from demo.service.faces import EXAMPLES, FaceService
from demo.tabs.story.pack import pack
from demo.tabs.story.preview import draw_favicon, draw_preview
from pixelcnn_core.evaluation.receptive_field import earlier_pixels, receptive_field
from pixelcnn_core.faces.encoder import condition_vectors
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.sampling.sample import finish, prefix_mask, sample_rows, uniforms_from_seed
from pixelcnn_core.sampling.truncation import Truncation

RECORD = Path(__file__).parents[2] / "assets" / "story" / "story.json"
MODEL, PERSON = "portraits", "Eileen Collins"  # a face drawn in one raster order, told whose numbers
SEED, NUMBER = 2, 6  # the picture: image `NUMBER` of the batch of a seed
CHOSEN_FROM = 128  # pictures that were looked at: told either person, seeds 0 to 7, 8 each
MIN_P = 0.2
GUESSES = ((24, 15), (14, 20), (21, 25))  # (row, column) of the pixels to guess: the lips, an eye, hair beside the face
DICE = (15, 21)  # the pixel whose red is thrown: the network is in doubt there
EDITS = ((2, 6), (7, 20), (12, 11), (16, 25), (20, 5), (25, 17))
CYAN = (0, 225, 255)
PREVIEW = 24 * 32 + 15  # pixels drawn in the preview for chats
NEAR = 8  # a guess counts for all shades within this distance
BAR_LEVELS = 63  # heights of bars: what 60 pixels on the screen can show
SHARPENED = (0, 3, 8, 1)  # of the stored portraits: chosen by eye, to be seen in all sizes
SHOWN = (0, 3, 8, 1, 5, 2), (0, 3, 1, 4)  # portraits of either person, chosen by eye
PLACE, LAYERS = (21, 13), 24  # whose receptive field, and of how many layers
TOLD = {"digits": {"seed": 7, "number": 8, "guidance": 1.0, "temperature": 1.0, "min_p": 0.05},
        "cifar10-chain": {"seed": 20, "number": 1, "guidance": 5.0, "temperature": 1.0, "min_p": 0.05,
                          "chosen_from": 100}}  # throws that were looked at: seeds 0 to 24, 4 each


class Painter:
    """The single-scale model of faces, and the picture it drew: `image` uint8 (1, 3, H, W)."""

    def __init__(self, service: Service):
        self.model, self.size = service.model(MODEL), service.info(MODEL).image_size
        vector = FaceService(service).example(PERSON).embedding
        self.told = Condition(embedding=condition_vectors(torch.from_numpy(vector)[None]))  # (1, 128)
        self.noise = uniforms_from_seed(SEED, NUMBER + 1, self.model.config)[NUMBER:]  # (1, 3, H, W)
        self.image = self.sample(1)

    def sample(self, count: int, **known) -> torch.Tensor:
        """The picture's noise again, on what is given: uint8 (count, 3, H, W)."""
        return finish(sample_rows(self.model, self.told.expand(count), batch=count, uniforms=self.noise,
                             truncation=Truncation(min_p=MIN_P), **known)).cpu()

    @torch.inference_mode()
    def odds(self, images: torch.Tensor) -> np.ndarray:
        """p(level | earlier sub-pixels, h) of every sub-pixel: (N, 3, H, W) integers -> (N, H, W, 3, 256)."""
        logits = self.model(images, self.told.expand(len(images)))  # (N, 256, 3, H, W)
        return logits.double().softmax(1).permute(0, 3, 4, 2, 1).numpy()


def pixels_of(images: torch.Tensor) -> np.ndarray:
    """(N, 3, H, W) -> (N, H, W, 3)."""
    return images.permute(0, 2, 3, 1).contiguous().numpy()


def trace(odds: np.ndarray, image: np.ndarray) -> dict:
    """Bars of every sub-pixel and the bits of what was drawn: odds (H, W, 3, 256), image (H, W, 3)."""
    peak = odds.max(3, keepdims=True)  # (H, W, 3, 1)
    drawn = np.take_along_axis(odds, image[..., None].astype(int), 3)[..., 0]  # (H, W, 3)
    thousandths = [np.round(-1000 * np.log2(p)).clip(0, 65535).astype(np.uint16) for p in (drawn, peak[..., 0])]
    return {"bars": pack(np.round(BAR_LEVELS * odds / peak).astype(np.uint8)), "levels": BAR_LEVELS,
            "surprise": pack(thousandths[0]), "peak": pack(thousandths[1])}


def likeliest(painter: Painter, place: tuple[int, int], red: float | None = None) -> tuple[int, int, int]:
    """The colour that takes the likeliest shade three times; or begins with the red at this quantile."""
    trial, colour = painter.image.clone(), [0, 0, 0]
    for channel in range(3):
        trial[0, :, *place] = torch.tensor(colour, dtype=torch.uint8)
        odds = painter.odds(trial)[0][place][channel]  # (256,)
        first = channel == 0 and red is not None
        colour[channel] = int(np.searchsorted(odds.cumsum(), red) if first else odds.argmax())
    return tuple(colour)


def swatches(painter: Painter, place: tuple[int, int]) -> list[tuple[int, int, int]]:
    """Six colours to choose from, from dark to light: what was drawn; what the network finds likely; the pixels at
    the left and above; and some of the picture so far. None is so near to another that both count as the same guess."""
    picture = pixels_of(painter.image)[0]
    before = picture.reshape(1, -1, 3)[:, :place[0] * painter.size + place[1]]
    palette = Image.fromarray(before).quantize(16, Image.Quantize.MEDIANCUT).getpalette()[:48]
    chosen = [tuple(map(int, picture[place]))]

    def offer(colours, most: int) -> None:
        for colour in colours:
            if len(chosen) < most and min(np.abs(np.subtract(colour, other)).max() for other in chosen) > 2 * NEAR:
                chosen.append(tuple(colour))

    offer((likeliest(painter, place, red) for red in (None, 0.03, 0.97, 0.2, 0.8)), 4)
    offer((tuple(map(int, picture[place[0] - up, place[1] - left])) for up, left in ((0, 1), (1, 0))), 6)
    offer(sorted(zip(palette[::3], palette[1::3], palette[2::3]),
                 key=lambda rgb: np.abs(np.subtract(rgb, chosen[0])).max()), 6)
    return sorted(chosen, key=lambda rgb: float(np.dot(rgb, (0.299, 0.587, 0.114))))


def guess(painter: Painter, place: tuple[int, int]) -> dict:
    """A pixel to guess: the colours offered, and for each the three distributions that lead to it."""
    row, column = place
    colours = swatches(painter, place)
    trials = painter.image.repeat(len(colours), 1, 1, 1)
    trials[:, :, row, column] = torch.tensor(colours, dtype=torch.uint8)
    odds = painter.odds(trials)[:, row, column]  # (6, 3, 256): G given the trial's R, B given both
    return {"place": place, "colours": colours, "odds": pack(as_shares(odds))}


def as_shares(odds: np.ndarray) -> np.ndarray:
    """Probabilities in 1/65535 of the whole, which sum to 1 within what one can see."""
    return np.round(65535 * odds).astype(np.uint16)


def edits(painter: Painter) -> dict:
    """The picture redrawn with the same noise after one pixel was painted, for every place of `EDITS`."""
    size, given = painter.size, painter.image.repeat(len(EDITS), 1, 1, 1)
    for trial, (row, column) in zip(given, EDITS):
        trial[:, row, column] = torch.tensor(CYAN, dtype=torch.uint8)
    known = torch.stack([prefix_mask(painter.model.config, row, column + 1) for row, column in EDITS])  # (n, H, W)
    redrawn = painter.sample(len(EDITS), image=given, known=known)
    return {"places": EDITS, "colour": CYAN, "size": size, "pixels": pack(pixels_of(redrawn), 3)}


def fields(size: int) -> dict:
    """What the prediction at `PLACE` can see after 1, 2, ... layers, by gradient: bool (LAYERS, size, size) each."""
    seen = {kind: pack(np.stack([receptive_field(kind, n, size, *PLACE).numpy() for n in range(1, LAYERS + 1)]))
            for kind in ("plain", "gated")}
    return {"place": PLACE, "layers": LAYERS, "size": size, **seen,
            "earlier": pack(earlier_pixels(size, *PLACE).numpy())}


def told(service: Service, name: str, seed: int, number: int, guidance: float, temperature: float,
         min_p: float, chosen_from: int | None = None) -> dict:
    """One noise, every class; of a chain the smaller pictures, too. `chosen_from`: so many noises were looked at."""
    model, info = service.model(name), service.info(name)
    noise = arranged(noise_of(model, seed, number + 1), lambda all_: all_[number:].repeat(len(info.classes), 1, 1, 1))
    condition, sizes = Condition(label=torch.arange(len(info.classes))), {}
    rows = draw_rows(model, condition, noise, temperature=temperature, guidance=guidance,
                     truncation=Truncation(min_p=min_p), keep=sizes)
    images = deque(rows, maxlen=1).pop().cpu().expand(-1, 3, -1, -1).float() * 255 / (info.levels - 1)
    return {"name": model_name(name), "names": info.classes, "size": info.image_size, "seed": seed,
            "number": number + 1, "chosen_from": chosen_from, "guidance": guidance,
            "temperature": temperature, "min_p": min_p, "pixels": pack(pixels_of(images.round().byte()), 3),
            "smaller": {size: pack(pixels_of(coarse.cpu()), 3) for size, coarse in sizes.items()
                        if size < info.image_size}}


def stored_portraits(service: Service) -> StoredPortraits:
    """What the tab of portraits opens with. Raises ValueError where there is nothing."""
    kept = read_portraits(service.folder / FaceService(service).model_name)
    if kept is None:
        raise ValueError("there are no stored portraits: run `python -m demo.make_assets` first")
    return kept


def scales(service: Service) -> dict:
    """Portraits of the first person in all sizes, as they were drawn: those of the tab of portraits, some of them."""
    found, kept, sizes = FaceService(service), stored_portraits(service), {}
    model, how = service.model(found.model_name), kept.settings
    noise = arranged(noise_of(model, how["seed"], max(SHARPENED) + 1), lambda numbers: numbers[list(SHARPENED)])
    vector = torch.from_numpy(found.example(kept.names[0]).embedding)[None].expand(len(SHARPENED), -1)
    finish(draw_rows(model, Condition(embedding=condition_vectors(vector)), noise, temperature=how["temperature"],
                     guidance=how["guidance"], truncation=Truncation(min_p=how["min_p"]), keep=sizes))
    return {"name": model_name(found.model_name), "sizes": list(sizes), "count": len(SHARPENED),
            "settings": {**how, "told": kept.names[0]},
            "pixels": {size: pack(pixels_of(images.cpu()), 3) for size, images in sizes.items()}}


def faces(service: Service) -> dict:
    """Two people: the crop of a photo, its 128 numbers, and stored portraits."""
    found, kept = FaceService(service), stored_portraits(service)
    portraits = (kept.images[list(SHOWN[0])], kept.twins[list(SHOWN[1])])
    chosen_from = (len(kept.judged) - 1, len(kept.twins))  # the last portrait is of nobody
    return {"name": model_name(found.model_name), "settings": kept.settings, "size": kept.images.shape[1], "people": [
        {"name": name, "crop": pack(np.ascontiguousarray(crop), 3), "count": len(images), "chosen_from": chosen,
         "numbers": [round(float(v), 3) for v in found.faces(EXAMPLES[name])[0].embedding],
         "portraits": pack(np.ascontiguousarray(images), 3)}
        for name, crop, images, chosen in zip(kept.names, kept.crops, portraits, chosen_from)]}


def write_story(service: Service) -> None:
    """Everything, into one file; and the picture for link previews and the page's icon, made of the same picture."""
    painter = Painter(service)
    picture = pixels_of(painter.image)[0]
    print("the picture is drawn", flush=True)
    odds = painter.odds(painter.image)[0]
    names = list(dict.fromkeys([MODEL, *TOLD, *service.chain_names]))
    record = {
        "weights": {name: fingerprint(service.folder / name) for name in names},
        "command": "python -m demo.tabs.story.make",
        "picture": {"name": model_name(MODEL), "told": f"the 128 numbers of {PERSON}", "seed": SEED,
                    "number": NUMBER + 1, "chosen_from": CHOSEN_FROM, "min_p": MIN_P, "temperature": 1.0,
                    "size": painter.size, "pixels": pack(picture, 3)},
        "trace": trace(odds, picture),
        "guesses": [guess(painter, place) for place in GUESSES],
        "near": NEAR,
        "dice": {"place": DICE, "odds": pack(as_shares(odds[DICE][0]))},
        "edits": edits(painter)}
    print("edits are drawn", flush=True)
    record |= {"fields": fields(painter.size),
               "told": [told(service, name, **settings) for name, settings in TOLD.items()]}
    print("classes are drawn", flush=True)
    record |= {"chain": scales(service), "faces": faces(service)}
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")
    draw_preview(picture, odds, RECORD.parents[1] / "preview.png", PREVIEW)
    draw_favicon(picture, RECORD.parents[1] / "favicon.png")
    print(f"{RECORD.name}: {RECORD.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    write_story(Service(budget=3600))
