"""What the tests of training, evaluation and the command line train: a few steps on the digits."""

from pixelcnn_core.training.recipe import Recipe

MODEL = {"features": 6, "layers": 2, "first_kernel_size": 3, "head_features": 6, "dropout": 0.2}


def tiny_recipe(**changes) -> Recipe:
    """Seconds on a CPU. Dropout, flips and dropped conditions are on: they must survive a restart too."""
    return Recipe(**{"name": "tiny", "about": "a test", "data": "digits", "steps": 12, "batch": 8, "warm_up": 4,
                     "learning_rate": 0.01, "ema": 0.8, "flips": True, "validate": 16, "sample": False,
                     "model": MODEL, **changes})
