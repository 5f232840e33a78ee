"""Draws what the page shows before anything is computed: `python -m demo.make_assets`.

For every bundled checkpoint the stored samples, and from the digits model the record behind the diagram in the header.
Run it again after training: a test compares the fingerprint of the weights.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from demo.diagram import RECORD
from demo.service import Service
from demo.stored import write_stored

IMAGES = {"cifar10": 4, "digits": 9}  # per class


def draw_samples(service: Service, name: str) -> None:
    settings = service.settings(name, images=IMAGES.get(name, 4))
    for progress in service.stream(settings):
        print(f"\r{name}: row {progress.row} of {progress.rows}, {progress.seconds:.1f} s", end="", flush=True)
    print()
    write_stored(service.folder / name, progress.images, settings, progress.seconds)


def record_diagram(service: Service, name: str, label: str, path: Path) -> None:
    """One sample and the probabilities of its pixels, rounded to what a drawing can show."""
    settings = service.settings(name, classes=[label], images=1, seed=3)
    values, odds = service.explain(settings)
    path.write_text(json.dumps({"label": label, "levels": odds.shape[-1], "values": values.tolist(),
                                "probabilities": np.round(odds, 3).reshape(-1, odds.shape[-1]).tolist()}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=None, help="folder of checkpoints (default: the bundled ones)")
    parser.add_argument("--diagram", type=Path, default=RECORD, help="where the record for the diagram goes")
    options = parser.parse_args()
    service = Service(options.models, budget=3600)
    for name in service.names:
        draw_samples(service, name)
    if "digits" in service.names:
        record_diagram(service, "digits", "5", options.diagram)


if __name__ == "__main__":
    main()
