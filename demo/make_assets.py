"""Draws what the page shows before anything is computed: `python -m demo.make_assets`.

For every bundled checkpoint the stored samples, and from the digits model the record behind the diagram in the header.
Run it again after training: a test compares the fingerprint of the weights.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from demo.kit.pictures import bundled
from demo.kit.stored import StoredPortraits, write_portraits, write_stored
from demo.service.bridge import Service
from demo.service.faces import EXAMPLES, FaceService, default_settings, write_examples
from demo.tabs.autoencoder.record import draw_codes
from demo.tabs.autoencoder.service import CodeService
from demo.tabs.autoencoder.subjects import subjects
from demo.tabs.chain import tab as chain_tab
from demo.tabs.chain.service import ChainService
from demo.tabs.chain.stored import StoredScales, write_scales
from demo.tabs.classes.knobs import draw_knobs
from demo.tabs.complete import drawing, tab
from demo.tabs.complete.service import DAMAGES, CompleteService, Damage
from demo.tabs.complete.stored import COMPLETIONS, FILLED, StoredCompletions, restorations, write_completions
from demo.tabs.inside.service import InsideService
from demo.tabs.inside.stored import draw_inside
from demo.tabs.interpolate.tab import COLUMNS, ROWS
from demo.tabs.portraits.tab import COUNT, STORED_SEED, TWINS
from demo.tabs.scoreboard.panels import write_race
from demo.tabs.scoreboard.service import ScoreboardService
from demo.web.diagram import RECORD
from pixelcnn_core.cards.card import FIGURE_3
from pixelcnn_core.models.conditioning import Condition
from pixelcnn_core.results import read_results
from pixelcnn_core.sampling.interpolation import PATHS
from pixelcnn_core.sampling.sample import finish

# What the samples of a model are drawn with beside the settings of its quality.json, if not 4 images per class.
ONE_EACH = {"images": 1, "same_noise": True}
# Classes that the chain draws well, and below a seed, chosen by eye among twelve.
DRAWN_WELL = ("coral reef", "seashore", "goldfish", "king penguin", "school bus", "sports car", "pizza", "orange")
SETTINGS = {"digits": {"images": 4}, "cifar10": ONE_EACH,
            "imagenet32classes": {**ONE_EACH, "classes": FIGURE_3},
            "imagenet32classes-chain": {**ONE_EACH, "seed": 8, "classes": DRAWN_WELL},
            "cifar10-chain": {**ONE_EACH, "seed": 18,
                              "classes": ("airplane", "automobile", "deer", "horse", "ship", "truck")}}

COARSE_CLASS = {"cifar10-chain": "horse", "imagenet32classes-chain": "king penguin"}  # `draw_scales`
COARSE_GUIDANCE = 3.5


def draw_samples(service: Service, name: str) -> None:
    """With the settings that its sample quality was measured with, if it was."""
    judged = read_results(service.folder / name, "quality.json")
    chosen = {key: judged[key] for key in ("temperature", "guidance", "min_p") if key in judged}
    settings = service.settings(name, **{**chosen, **SETTINGS.get(name, {})})
    for progress in service.stream(settings):
        print(f"\r{name}: row {progress.row} of {progress.rows}, {progress.seconds:.1f} s", end="", flush=True)
    print()
    write_stored(service.folder / name, progress.images, settings, progress.seconds)


def draw_portraits(faces: FaceService) -> None:
    """What the tabs of faces open with: portraits of the first bundled photo, the last of nobody, some of the second by
    the same random numbers, and the path from one to the other."""
    names = tuple(EXAMPLES)
    first, second = map(faces.example, names)
    chosen = default_settings(faces.service.info(faces.model_name).results)
    how = {**dict(zip(("temperature", "guidance", "min_p"), chosen)), "seed": STORED_SEED}
    images = list(faces.portraits(first.embedding, COUNT, baseline=True, **how))[-1].images[0]
    path = list(faces.path(first.embedding, second.embedding, COLUMNS, ROWS, PATHS[0], **how))[-1].images
    twins = list(faces.portraits(second.embedding, TWINS, **how))[-1].images[0]
    judged, twins_judged = (np.round(faces.alike(some, one.embedding).astype(float), 4).tolist()
                            for some, one in ((images, first), (twins, second)))
    crops = np.stack([first.crop, second.crop])
    write_portraits(faces.service.folder / faces.model_name,
                    StoredPortraits(names, crops, how, images, judged, path, twins, twins_judged))
    print(f"{faces.model_name}: {len(images)} portraits")


def draw_scales(chains: ChainService, name: str) -> None:
    """What the tab of the chains opens with: one smallest picture, drawn, told a class or the first bundled photo;
    several larger pictures of it, told nothing; and the bits of the first."""
    info, told = chains.service.info(name), next(iter(EXAMPLES))
    embedding = FaceService(chains.service).example(told).embedding if info.embedding else None
    temperature, guidance, _ = default_settings(info.results)
    settings = {"temperature": temperature, "guidance": guidance, "min_p": chain_tab.MIN_P}
    *_, coarse = chains.imagine(name, chains.told(name, COARSE_CLASS.get(name), embedding), None, chain_tab.COUNT,
                                chain_tab.COARSE_SEED, **{**settings, "guidance": max(guidance, COARSE_GUIDANCE)})
    small, nobody = coarse.pictures[info.sizes[0]][chain_tab.COARSE], Condition()
    *_, last = chains.imagine(name, nobody, small, chain_tab.COUNT, chain_tab.STORED_SEED, **settings)
    bits = chains.bits(name, last.progress.images[0][0], nobody)
    write_scales(chains.service.folder / name, StoredScales(
        last.pictures, bits, {**settings, "seed": chain_tab.STORED_SEED}, info.sizes[0]))
    print(f"{name}: {last.progress.seconds:.1f} s")


def draw_completions(complete: CompleteService) -> None:
    """What the Complete tab opens with: weighted completions, and restorations for every kind of damage."""
    image, known = complete.fit(bundled(tab.PICTURE)), complete.masks()[tab.MASK]

    def keep(folder: Path, name: str, way: str, kind: str) -> None:
        what = Damage(kind, known, tab.STRENGTHS.get(kind))
        asked = drawing.Request(image, known, way, what, tab.COUNT, tab.SEED)
        *_, last = drawing.start(complete, asked)
        facts = drawing.facts_of(complete, asked, last.images[0], last.seconds)
        write_completions(folder, name, StoredCompletions(image, known, last.images[0], facts))
        print(f"{folder.name}: {name}, {last.seconds:.1f} s")

    keep(complete.service.folder / complete.model_name, COMPLETIONS, drawing.RASTER, DAMAGES[0])
    if complete.chain_name:
        keep(complete.service.folder / complete.chain_name, FILLED, drawing.CHAIN, DAMAGES[0])
    for kind in DAMAGES if complete.has_restorer else ():
        keep(complete.folder, restorations(kind), drawing.RESTORER, kind)


def draw_race(service: Service, name: str, label: str) -> None:
    """What the race of the samplers opens with."""
    settings = service.settings(name, classes=[label], images=1)
    write_race(service.folder / name, settings, list(ScoreboardService(service).race(settings))[-1])


def record_diagram(service: Service, name: str, label: str) -> None:
    """The values of one grey sample."""
    values = finish(service.rows(service.model(name), service.settings(name, classes=[label], images=1, seed=3)))[0, 0]
    facts = {"label": label, "levels": service.info(name).levels, "values": values.tolist()}
    RECORD.write_text(json.dumps(facts) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=None, help="folder of checkpoints (default: the bundled ones)")
    service = Service(parser.parse_args().models, budget=3600)
    for name in service.names:
        draw_samples(service, name)
        draw_knobs(service, name)
    complete = CompleteService(service)
    if complete.model_name:
        draw_completions(complete)
        draw_inside(InsideService(service))
    faces = FaceService(service)
    if faces.model_name:
        write_examples(faces)
        draw_portraits(faces)
    for name in service.chain_names:
        draw_scales(ChainService(service), name)
    for subject in subjects(service):
        codes = CodeService(service, subject=subject)
        for m in codes.sizes:
            draw_codes(codes, m)
    if "digits" in service.names:
        record_diagram(service, "digits", "5")
        draw_race(service, "digits", "3")


if __name__ == "__main__":
    main()
