"""What a code keeps: bits per dimension given the code, squared error, and whether the class and the sharpness survive.

A PixelCNN auto-encoder is measured beside the MSE auto-encoder of the same code on the same test images, and judged by
a classifier that was trained on real images only. `codes.json` (the mean and the principal directions of the codes, and
what they tell a chain of faces) is written here and nowhere else.
"""

import time
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn_core.autoencoder.chain_autoencoder import (
    CODES_FILE,
    ChainAutoEncoder,
    chain_of,
    expected_embedding,
    read_told,
)
from pixelcnn_core.autoencoder.model import AutoEncoder, CodeModel, MSEAutoEncoder
from pixelcnn_core.data.image_data import DataError, ImageData
from pixelcnn_core.device import choose_device
from pixelcnn_core.evaluation.common import batches, finish_results, load_test
from pixelcnn_core.models.chain import Chain, chain_steps
from pixelcnn_core.models.checkpoint import CONFIG_FILE
from pixelcnn_core.models.classifier import Classifier
from pixelcnn_core.models.gated import GatedPixelCNN
from pixelcnn_core.provenance import recipe_of, training_so_far
from pixelcnn_core.results import merge_results, weights_hash
from pixelcnn_core.sampling.sample import finish
from pixelcnn_core.sampling.truncation import Truncation

DRAWN = 1000  # test images that are reconstructed and judged; the bits are those of all test images
AVERAGED = {"images": 25, "draws": 64}  # of how many the mean of many draws is set beside the MSE decoder
USUAL = 32  # both are numbers of images of this size: of larger ones as many pixels
SHOWN = {"temperature": 1.0, "guidance": 1.0, "min_p": 0.05}  # the page opens with these; min-p as for the chain alone
SHOWN_OF = {"faces": {**SHOWN, "guidance": 2.0, "min_p": 0.4}}  # by data set, where it is another
TWIN = "chain-autoencoder-0"  # beside the auto-encoders through a chain: their decoder, trained without a code
CODES = 5000  # training images whose codes give the principal directions
DIRECTIONS = 10


@torch.no_grad()
def mean_losses(model, data: ImageData, kept: bool = True) -> float:
    """Mean of the model's `losses` over the images; with `kept` False those of the model without its condition."""
    device = next(model.parameters()).device
    losses = []
    for part in batches(len(data)):
        images = data.images[part].to(device)
        losses.append(model.losses(images, data.condition(part).to(device),
                                   torch.full((len(images),), kept, device=device)).cpu())
    return torch.cat(losses).double().mean().item()


def reconstructions(model: CodeModel | ChainAutoEncoder, images: Tensor, seed: int = 0, **settings) -> Tensor:
    """One reconstruction of each image, uint8 (N, C, H, W). Batch k is drawn with seed + k."""
    return torch.cat([model.reconstruct(images[part], seed=seed + k, **settings).cpu()
                      for k, part in enumerate(batches(len(images)))])


def mean_squared_error(a: Tensor, b: Tensor, levels: int) -> float:
    """In units of the full range from black to white."""
    return ((a.double() - b.double()) / (levels - 1)).square().mean().item()


def sharpness(images: Tensor, levels: int) -> float:
    """Mean gradient energy: squared differences of neighbours, right and below, in units of the full range."""
    x = images.double() / (levels - 1)
    return (x.diff(dim=3).square().mean() + x.diff(dim=2).square().mean()).item()


@torch.no_grad()
def codes_of(model: CodeModel, images: Tensor) -> Tensor:
    """The codes of images (N, C, H, W), float64 (N, m)."""
    device = next(model.parameters()).device
    return torch.cat([model.encode(images[part].to(device)).cpu() for part in batches(len(images))]).double()


def principal_directions(codes: Tensor, mse_codes: Tensor | None = None) -> dict:
    """Mean of codes (N, m), their largest principal directions (k, m) of unit length, and the deviations along them.

    With the MSE auto-encoder's codes of the same images also `mse_steps` (k, m): by how much its code changes, in the
    mean, per standard deviation along each direction. So one slider can turn both codes the same way.
    """
    mean, count = codes.mean(0), min(DIRECTIONS, codes.shape[1])
    _, singular, directions = torch.linalg.svd(codes - mean, full_matrices=False)
    directions, deviations = directions[:count], singular[:count] / max(1, len(codes) - 1) ** 0.5
    found = {"mean": mean, "directions": directions, "deviations": deviations}
    if mse_codes is not None:
        along = (codes - mean) @ directions.T / deviations.clamp(min=1e-9)  # (N, k), of deviation 1
        found["mse_steps"] = along.T @ (mse_codes - mse_codes.mean(0)) / max(1, len(codes) - 1)  # the regression
    return {"images": len(codes), **{name: (values * 1e5).round().div(1e5).tolist() for name, values in found.items()}}


def evaluate_classifier(checkpoint: str | Path, data_dir: str | Path, limit: int | None = None) -> dict:
    """Accuracy on the test images, overall and per class."""
    begun, model = time.perf_counter(), Classifier.from_pretrained(checkpoint, map_location=choose_device())
    _, test = load_test(checkpoint, data_dir, model, limit)
    right = (model.probabilities(test.images).argmax(1) == test.labels).float()
    per_class = {name: round(right[test.labels == k].mean().item(), 4)
                 for k, name in enumerate(test.class_names) if (test.labels == k).any()}
    return finish_results({"accuracy": round(right.mean().item(), 4), "accuracy_per_class": per_class,
                           "images": len(test)}, model, checkpoint, begun)


def evaluate_mse(checkpoint: str | Path, data_dir: str | Path, limit: int | None = None) -> dict:
    """The squared error on the test images; and the directions of its codes."""
    begun, model = time.perf_counter(), MSEAutoEncoder.from_pretrained(checkpoint, map_location=choose_device())
    train, test = load_test(checkpoint, data_dir, model, limit)
    merge_results(checkpoint, principal_directions(codes_of(model, train.images[:CODES])), CODES_FILE)
    drawn = reconstructions(model, test.images)
    levels = model.config.levels
    return finish_results({"mse": round(mean_squared_error(drawn, test.images, levels), 5), "images": len(test),
                           "code": model.config.code, "sharpness_mse": round(sharpness(drawn, levels), 5),
                           "sharpness_original": round(sharpness(test.images, levels), 5)}, model, checkpoint, begun)


def evaluate_autoencoder(checkpoint: str | Path, data_dir: str | Path, mse_checkpoint: str | Path,
                         classifier: str | Path, limit: int | None = None, seed: int = 0) -> dict:
    """A PixelCNN auto-encoder, beside the MSE auto-encoder with the same code; the class is judged where there are any.

    One that codes smaller pictures than the other is the first step of a chain, which draws them finer; its bits are
    those of the small picture. Bits per dimension are those of all test images (or the first `limit`), with the code,
    without, and by a twin beside the checkpoint that never had one; reconstructions are drawn for the first `DRAWN`,
    once each. Raises CheckpointError or DataError.
    """
    begun, device = time.perf_counter(), choose_device()
    model = AutoEncoder.from_pretrained(checkpoint, map_location=device)
    baseline = MSEAutoEncoder.from_pretrained(mse_checkpoint, map_location=device)
    levels = model.config.levels
    if model.config.code != baseline.config.code:
        raise DataError(f"the auto-encoder has a code of {model.config.code} numbers, {mse_checkpoint} one of "
                        f"{baseline.config.code}")
    coded = model.config.image_size != baseline.config.image_size  # the chain's smallest picture
    train, test = load_test(checkpoint, data_dir, model, limit)
    large_train, large = load_test(checkpoint, data_dir, baseline, limit) if coded else (train, test)
    judge = Classifier.from_pretrained(classifier, map_location=device) if test.class_names else None
    if judge and judge.config.class_names != test.class_names:
        raise DataError(f"{classifier} knows other classes than the data set")
    codes, mse_codes = codes_of(model, train.images[:CODES]), codes_of(baseline, large_train.images[:CODES])
    merge_results(checkpoint, principal_directions(codes, mse_codes), CODES_FILE)
    drawer = through_chain(model, checkpoint, train) if coded else model
    results = carried(model, checkpoint, test) | trained(checkpoint, mse_checkpoint)
    part = min(1.0, (USUAL / large.images.shape[-1]) ** 2)
    few = large.first(int(DRAWN * part))
    results |= {"code": model.config.code, "images": len(test), "images_reconstructed": len(few),
                "sharpness_original": round(sharpness(few.images, levels), 5)}
    if judge:
        results["class_accuracy_real"] = round(judge.accuracy(few.images, few.labels), 4)
        seen = judge.probabilities(few.images).argmax(1)  # the class of the original, in the judge's eyes

    def judged(images: Tensor) -> dict[str, float]:
        kept = {"class_kept": round(judge.accuracy(images, seen), 4),
                "class_right": round(judge.accuracy(images, few.labels), 4)} if judge else {}
        return {"mse": round(mean_squared_error(images, few.images, levels), 5), **kept,
                "sharpness": round(sharpness(images, levels), 5)}

    found = {"pixelcnn": judged(reconstructions(drawer, few.images, seed)),
             "mse": judged(reconstructions(baseline, few.images))}
    results |= {"mse": found["pixelcnn"].pop("mse"), "mse_of_mse_autoencoder": found["mse"].pop("mse")}
    results |= {f"{what}_{name}": value for name, values in found.items() for what, value in values.items()}
    shown = shown_with(checkpoint)
    settings, truncation = {key: shown[key] for key in ("temperature", "guidance")}, Truncation(shown["min_p"])
    drawn = reconstructions(drawer, few.images, seed, truncation=truncation, **settings)
    results |= {"shown": {**shown, **judged(drawn)},
                "mean_of_draws": averaged(drawer, baseline, few.images[:int(AVERAGED["images"] * part)])}
    if coded:
        small = test.images[:len(few)]
        results["small_picture_given"] = judged(finer(drawer, small, small, seed, truncation=truncation, **settings))
        start = recipe_of(checkpoint).get("start")
        if start:  # squared error on the same small picture: the control of what the PixelCNN decoder adds to it
            guesses = reconstructions(MSEAutoEncoder.from_pretrained(start, map_location=device), small)
            results["mse_finer"] = judged(finer(drawer, guesses, small, seed, truncation=truncation, **settings))
        folder = chain_of(checkpoint)  # whose first step, which this auto-encoder replaces, may go on learning
        results["chain"] = {"folder": folder.as_posix(), "weights": {
            step: weights_hash(folder / step) for step in chain_steps(folder)[1:]}}
    return finish_results(results, model, checkpoint, begun)


def through_chain(model: AutoEncoder, checkpoint: str | Path, train: ImageData) -> ChainAutoEncoder:
    """`model` with its chain; what its codes tell that of faces is found on the training images, and kept."""
    chain = Chain.from_pretrained(chain_of(checkpoint)).to(choose_device())
    if not chain.config.embedding or train.embeddings is None:
        return ChainAutoEncoder(model, chain)
    told = expected_embedding(codes_of(model, train.images), train.embeddings)
    merge_results(checkpoint, {"told": told.mul(1e4).round().div(1e4).tolist()}, CODES_FILE)
    return ChainAutoEncoder(model, chain, read_told(checkpoint))  # as kept, so what is measured is what is drawn


def shown_with(checkpoint: str | Path) -> dict[str, float]:
    """The settings with which the page opens on what this auto-encoder draws: those chosen for its chain."""
    return SHOWN_OF.get(recipe_of(checkpoint).get("data"), SHOWN)


def carried(model: AutoEncoder, checkpoint: str | Path, test: ImageData) -> dict[str, float]:
    """Bits per dimension with the code, with the code dropped, and of the twin; and what the code saves beside the
    twin, in bits of a picture: beside the network with its code dropped, which has seldom seen it so, it would be more.
    """
    bits, dropped = mean_losses(model, test), mean_losses(model, test, kept=False)
    without = {"unconditional": dropped, **twin_bits(checkpoint, test)}
    return {"bits_per_dim_test": round(bits, 4),
            **{f"bits_per_dim_{name}": round(value, 4) for name, value in without.items()},
            "bits_in_the_code": round((without.get("twin", dropped) - bits) * test.images[0].numel(), 1)}


def trained(checkpoint: str | Path, mse_checkpoint: str | Path) -> dict:
    """The minutes of training of both, and of what the first one started from."""
    folders = {"pixelcnn": checkpoint, "start": recipe_of(checkpoint).get("start"), "mse": mse_checkpoint}
    return {"minutes": {name: round(training_so_far(Path(folder))["seconds"] / 60, 1)
                        for name, folder in folders.items() if folder}}


def averaged(drawer: CodeModel | ChainAutoEncoder, baseline: MSEAutoEncoder, images: Tensor) -> dict[str, float]:
    """The mean of many draws beside the MSE decoder's answer: the squared errors of both and of a single draw, and how
    far apart the two are."""
    draws, levels = AVERAGED["draws"], drawer.config.levels
    mean, single = torch.zeros(images.shape, dtype=torch.float64), 0.0
    for k in range(draws):
        drawn = reconstructions(drawer, images, seed=1000 * (k + 1))
        mean, single = mean + drawn.double() / draws, single + mean_squared_error(drawn, images, levels) / draws
    guesses = reconstructions(baseline, images)
    found = {"one": single, "mean": mean_squared_error(mean, images, levels),
             "mse_decoder": mean_squared_error(guesses, images, levels),
             "apart": mean_squared_error(mean, guesses, levels)}
    return {"draws": draws, "images": len(images), **{name: round(value, 5) for name, value in found.items()}}


def twin_bits(checkpoint: str | Path, test: ImageData) -> dict[str, float]:
    """Bits per dimension of the decoder's twin, trained as long without a code, where it lies beside a checkpoint."""
    folder = Path(checkpoint).parent / TWIN
    if not (folder / CONFIG_FILE).is_file():
        return {}
    twin = GatedPixelCNN.from_pretrained(folder, map_location=choose_device())
    return {"twin": mean_losses(twin, test.unconditional())} if twin.config.image_size == test.images.shape[-1] else {}


@torch.no_grad()
def finer(model: ChainAutoEncoder, small: Tensor, coded: Tensor, seed: int, **settings) -> Tensor:
    """What the chain makes of small pictures (N, C, s, s), told what the codes of those in `coded` (N, C, s, s)
    tell it: uint8 (N, C, S, S)."""
    device = model.coder.encoder.out.weight.device
    return torch.cat([finish(model.finer(small[part], model.coder.encode(coded[part].to(device)), seed=seed + k,
                                         **settings))[model.size].cpu() for k, part in enumerate(batches(len(small)))])
