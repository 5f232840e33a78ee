"""Gated PixelCNN, Conditional PixelCNN and fast exact sampling (van den Oord et al., 2016, arXiv 1606.05328)."""

from pixelcnn_core.models.checkpoint import CheckpointError
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.models.gated import GatedPixelCNN, PixelCNNConfig
from pixelcnn_core.models.plain import PlainPixelCNN

__all__ = ["CheckpointError", "Condition", "GatedPixelCNN", "PixelCNNConfig", "PlainPixelCNN"]
