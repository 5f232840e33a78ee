"""Gated PixelCNN and Conditional PixelCNN, autoregressive models of images, and fast exact sampling from them (van den
Oord et al., 2016, arXiv 1606.05328).

    model = load_model("demo/assets/models/cifar10")      a folder, or a Hub id; a single model or a chain
    model.sample(["cat", "ship"], n=4).save("cats.png")   new images by ancestral sampling
    model.inpaint(image, known).save("filled.png")        missing pixels filled in
    model.bits_per_dim(images, "cat")                     exact likelihood, in bits per dimension ...
    model.log_prob(images, "cat")                         ... or in nats
    fit(model, images, labels)                            train on tensors or a DataLoader
    sample_rows(model, ...), sample_chain(chain, ...)     the generators behind `sample`: unfinished images, row by row

Images are integers in [0, levels), (B, C, H, W), as uint8; floats in [0, 1] are refused.
"""

from pixelcnn_core.models.chain import Chain, load_model
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.models.plain import PlainPixelCNN
from pixelcnn_core.models.upscaler import Upscaler, UpscalerConfig
from pixelcnn_core.sampling.coarse_to_fine import sample_chain
from pixelcnn_core.sampling.images import Images
from pixelcnn_core.sampling.sample import finish, sample_rows
from pixelcnn_core.sampling.truncation import Truncation
from pixelcnn_core.training.fit import fit

__version__ = "0.1.0"

__all__ = ["Chain", "CheckpointError", "Condition", "GatedPixelCNN", "Images", "PixelCNNConfig", "PlainPixelCNN",
           "Truncation", "Upscaler", "UpscalerConfig", "finish", "fit", "load_model", "sample_chain", "sample_rows"]
