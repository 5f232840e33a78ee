"""What was measured of the chains, a table each: its steps' bits, training and drawing times, and how its pictures were
judged. From results.json, quality.json and benchmark.json beside the weights."""

import html
from collections.abc import Iterable
from pathlib import Path

from demo.kit.model_facts import model_name
from demo.service.bridge import ModelInfo
from pixelcnn_core.evaluation.chain_bits import training_speed
from pixelcnn_core.models.chain import chain_steps
from pixelcnn_core.results import read_measured, read_results

HEADS = ("pixels", "parameters", "bits per dimension", "bits", "of them, what h saves", "training images/s",
         "one forward pass", "naive sampling", "cached sampling")


def chains_html(infos: Iterable[ModelInfo], folder: Path) -> str:
    """The tables of all chains in the models' folder that were evaluated; empty where none was."""
    parts = []
    for info in infos:
        if not (info.is_chain and info.results.get("steps")):
            continue
        try:
            own = folder / info.name
            speeds = [training_speed(own / step).get("training_images_per_second", 0.0) for step in chain_steps(own)]
            parts.append(chain_html(info, speeds, read_measured(own, "benchmark.json"),
                                    read_results(own, "quality.json")))
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # not as the commands write it, or no chain
    return "".join(parts)


def chain_html(info: ModelInfo, speeds: list[float], benchmark: dict, quality: dict) -> str:
    """One chain, with the images per second of each step's training, 0 where unknown. Times are for one image, where
    measured."""
    results, one = info.results, benchmark.get("batch", {}).get("1", {})
    rows = []
    for speed, (size, step) in zip(speeds, results["steps"].items()):
        times = one.get("steps", {}).get(size, {})
        cells = [f"{step['parameters']:,}", f"{step['bits_per_dim']:.3f}", f"{step['bits']:,.0f}",
                 f"{step['condition_is_worth_bits']:.1f}", f"{speed:.0f}" if speed else "",
                 *(f"{times[key]:.3g} s" if times else "" for key in ("forward_s", "naive_s", "cached_s"))]
        rows.append(f'<tr><th scope="row">{html.escape(size)}×{html.escape(size)}</th>'
                    f'{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    whole = [f"{info.parameters:,}", f"at most {results['bits_per_dim_at_most']:.3f}",
             f"at most {results['bits_at_most']:,.0f}", "", "", "",
             *(f"{one[key]:.3g} s" if one else "" for key in ("naive_s", "cached_s"))]
    rows.append(f'<tr class="ours"><th scope="row">together</th>{"".join(f"<td>{cell}</td>" for cell in whole)}</tr>')
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    words = [*judged(results, quality), *drawn(one, benchmark)]
    return (f'<div class="scrolls"><table class="board"><caption>{html.escape(model_name(info.name))}, '
            f"{results['images_test']:,} test images</caption><thead><tr>{heads}</tr></thead>"
            f'<tbody>{"".join(rows)}</tbody></table></div><p class="facts">{" ".join(words)}</p>')


def judged(results: dict, quality: dict) -> list[str]:
    """Sentences on class, Fréchet distance and likeness."""
    words = []
    if quality:
        words.append(f"A classifier gives {quality['accuracy']:.1%} of {quality['images']:,} samples the class they "
                     f"were drawn for, and {quality['accuracy_real']:.1%} of real images theirs; Fréchet distance "
                     f"{quality['frechet']:.2f}, of real images {quality['real']['frechet']:.2f}.")
    if identity := results.get("identity"):
        words.append(f"Of {identity['portraits']:,} portraits of people never seen in training {identity['rank1']:.1%} "
                     f"are nearest to their own person among {identity['gallery']}, of real photos "
                     f"{identity['rank1_real']:.1%}, by chance {identity['rank1_chance']:.1%}.")
    return words


def drawn(one: dict, benchmark: dict) -> list[str]:
    """A sentence on the times of one image."""
    if not one:
        return []
    return [f"One image takes {one['cached_s']:.2f} s, the first row of its smallest picture is there after "
            f"{one['coarse_s']:.3f} s; the naive loop would take {one['naive_s']:,.0f} s, "
            f"{one['naive_over_cached']:,.0f} times as long ({html.escape(str(benchmark['device']))}, "
            f"{benchmark['threads']} threads)."]
