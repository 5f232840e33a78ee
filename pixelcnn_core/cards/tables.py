"""Sections of a model card that stand only where their result file does: sample quality, how long sampling takes, what
helps likelihood, and how fast the recipe trains."""

from pathlib import Path

from pixelcnn_core.results import read_json, read_measured, read_results

QUALITY = """
## Sample quality

In the eyes of a classifier that was trained on real images only (`python -m pixelcnn_core quality`), {images:,} samples
at temperature {temperature:g}, guidance {guidance:g} and min-p {min_p:g}, beside as many real test images. The
distances are those of this classifier's {features} features: set them beside no other paper's.

| | samples | real images |
| --- | --- | --- |
| taken for the class that was asked for | {accuracy:.1%} | {accuracy_real:.1%} |
| Fréchet distance to {reference_images:,} other test images | {frechet:.2f} | {real[frechet]:.2f} |
| precision | {precision:.2f} | {real[precision]:.2f} |
| recall | {recall:.2f} | {real[recall]:.2f} |
"""

ABLATION = """
## What helps

`python -m pixelcnn_core ablate {recipe[name]}`: one setting of the recipe changed at a time, {minutes:g} minutes of
training for each ({clock}; {hardware}), the same images in the same order. Bits per dimension on
the first {images:,} {split} images; the difference is paired, image by image, with its standard error: above 0, the
change hurts. That error is of the images alone: run again, the same setting takes a few steps more or fewer, which
can be worth as much as the smallest differences here. So short a run says what helps early; dropout, depth and flips
can pay only later.

| changed | bits per dimension | difference | training images/s | parameters |
| --- | --- | --- | --- | --- |
{rows}
"""

SPEED = """
## Training speed

`python -m pixelcnn_core training-speed {recipe}` on {hardware}, torch {versions[torch]}: medians
of {steps_timed} steps of {batch} images; each setting adds one to the one above. The matrix rate is measured:
{rates}. One image costs {flops:.1f} GFLOP, forward and backward.

| setting | images/s | share of the matrix rate |{memory_head}
| --- | --- | --- |{memory_line}
{rows}

Where the time goes, without torch.compile: {where}.
"""

TRIED = """
How the settings were chosen, on validation images and {images:,} samples a row, by the Fréchet distance; as many real
images have one of {real:.2f}. Temperature 1, guidance 1 and min-p 0 are the paper's sampler.

| temperature | guidance | min-p | right class | Fréchet distance | precision | recall |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
"""

SAMPLING = """
## Sampling time

`python -m pixelcnn_core benchmark` on {device}, {threads} threads, torch {versions[torch]}: medians of {repeats}
interleaved runs; the naive loop, one forward pass for every sub-pixel, is extrapolated from {naive_steps_timed} of its
steps.

| images at once |{step_head} one forward pass | naive sampling | cached sampling | speed-up | images/s |
| --- |{step_line} --- | --- | --- | --- | --- |
{rows}
{coarse}"""
COARSE = """
The first row of the smallest picture is there after {seconds} s.
"""


def quality_section(folder: Path) -> str:
    judged = read_results(folder, "quality.json")
    return QUALITY.format(**{"min_p": 0.0, **judged}) if judged else ""


def tried_section(folder: Path) -> str:
    """The settings that `quality --curve` chose from, where it did."""
    points = read_results(folder, "quality.json").get("curve", [])
    rows = "\n".join(f"| {point['temperature']:g} | {point['guidance']:g} | {point.get('min_p', 0.0):g} | "
                     f"{point['accuracy']:.1%} | {point['frechet']:.2f} | {point['precision']:.2f} | "
                     f"{point['recall']:.2f} |" for point in points)
    return TRIED.format(images=points[0]["images"], rows=rows, real=points[0]["real"]["frechet"]) if points else ""


def sampling_section(folder: Path) -> str:
    """Of a single model a row for each batch size; of a chain one for each of its steps too."""
    measured = read_measured(folder, "benchmark.json")
    if not measured:
        return ""
    rows, coarse = [], []
    for batch, times in measured["batch"].items():
        steps = times.get("steps", {})
        rows += [times_row(f"{batch} | {size} x {size}", step) for size, step in steps.items()]
        rows.append(times_row(f"{batch} | all" if steps else batch, times))
        if "coarse_s" in times:
            coarse.append(f"{times['coarse_s']:.3f} ({batch} image{'s' * (batch != '1')})")
    chain = bool(coarse)
    return SAMPLING.format(**{**measured, "rows": "\n".join(rows), "step_head": " pixels |" * chain,
                              "step_line": " --- |" * chain,
                              "coarse": COARSE.format(seconds=", ".join(coarse)) if chain else ""})


def times_row(first: str, times: dict) -> str:
    """A chain as a whole has no forward pass of its own."""
    forward = f"{times['forward_s']:.4f} s" if "forward_s" in times else ""
    return (f"| {first} | {forward} | {times['naive_s']:,.1f} s | {times['cached_s']:.3f} s | "
            f"{times['naive_over_cached']:,.0f} times | {times['images_per_second']:.1f} |")


def ablation_section(folder: Path) -> str:
    """Sorted by how much the change helps."""
    study = read_json(folder / "ablation.json")
    if not study:
        return ""
    base, *others = study["variants"]
    rows = [base, *sorted(others, key=lambda row: row["difference"])]
    return ABLATION.format(**{**study, "rows": "\n".join(
        f"| {row['change']} | {row['bits_per_dim']:.3f} | "
        f"{'' if row is base else difference(row)} | {row['images_per_second']:.0f} | {row['parameters']:,} |"
        for row in rows)})


def difference(row: dict) -> str:
    return f"{row['difference']:+.3f} ± {row['difference_standard_error']:.3f}"


def speed_section(folder: Path) -> str:
    speed = read_json(folder / "training_speed.json")
    if not speed:
        return ""
    memory = "peak_mb" in speed["settings"][0]
    rows = "\n".join(f"| {row['setting']} | {row['images_per_second']:.1f} | {row['share_of_matrix_rate']:.0%} |"
                     + (f" {row['peak_mb']:,.0f} MB |" if memory else "") for row in speed["settings"])
    rates = ", ".join(f"{rate / 1e9:,.0f} GFLOP/s in {kind}" for kind, rate in speed["matrix_flops_per_second"].items())
    where = ", ".join(f"{kind} {share:.0%}" for kind, share in speed["where_the_time_goes"].items())
    return SPEED.format(**{**speed, "rows": rows, "rates": rates, "where": where,
                           "flops": speed["flops_per_image"] / 1e9, "memory_head": " peak memory |" * memory,
                           "memory_line": " --- |" * memory})
