"""Gated PixelCNN, Conditional PixelCNN and fast exact sampling (van den Oord et al., 2016, arXiv 1606.05328).

    model = GatedPixelCNN.from_pretrained(folder)     one model; exact bits per dimension: model.bits_per_dim(images)
    chain = Chain.from_pretrained(folder)             several, from coarse to fine
    sampling.sample.sample, sampling.coarse_to_fine.sample_chain     draw with them, row by row; finish(...) ends it
"""

from pixelcnn_core.models.chain import Chain
from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.models.plain import PlainPixelCNN
from pixelcnn_core.models.upscaler import Upscaler, UpscalerConfig
from pixelcnn_core.sampling.truncation import Truncation

__version__ = "0.1.0"

__all__ = ["Chain", "CheckpointError", "Condition", "GatedPixelCNN", "PixelCNNConfig", "PlainPixelCNN", "Truncation",
           "Upscaler", "UpscalerConfig"]
