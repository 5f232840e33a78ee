"""Tab "Scoreboard": three numbers, the race of the models, the race of the samplers; the ladder of likelihoods and all
tables folded."""

import html
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.model_facts import model_choices, model_name
from demo.kit.run_controls import QUIET, Toolbar, idle_buttons, wire
from demo.kit.status import error_status, refusal, status_html
from demo.service.bridge import ModelInfo, Service
from demo.service.settings import NO_CLASS, UserError, number
from demo.tabs.scoreboard.chain_numbers import chains_html
from demo.tabs.scoreboard.curves_plot import curves_svg, shown
from demo.tabs.scoreboard.folds import fold, folded, folds
from demo.tabs.scoreboard.headline import end_words, headline_html, ladder_words, own_model
from demo.tabs.scoreboard.ladder_panel import ladder_html, order_html
from demo.tabs.scoreboard.ladder_results import Ladder, measured_only, read_ladder, read_longer
from demo.tabs.scoreboard.panels import quality_html, read_race, samplers_html, verdict
from demo.tabs.scoreboard.paper_tables import subset_html, tables_html
from demo.tabs.scoreboard.race_plot import legend, race_svg
from demo.tabs.scoreboard.race_results import Race, leader_words, race_table, read_baselines, read_races
from demo.tabs.scoreboard.service import RaceMoment, ScoreboardService
from pixelcnn_core.results import read_measured, read_results

ID, TITLE = "scoreboard", "Scoreboard"
FRAME_SECONDS = 0.1

MEANING = """<details class="folded"><summary>What is a bit per dimension?</summary><p>A model of images is judged by
the probability that it gives to images it has never seen. <i>Bits per dimension</i> is what a perfect coder that trusts
the model would need for one sub-pixel: 8 bits if it knew nothing about 8-bit images, fewer the better it predicts. 0.01
bits per dimension are 31 bits on a 32×32 colour image, so that image becomes two billion times as probable. Numbers may
be compared only on the same images at the same size with the same number of levels.</p></details>"""

LADDER = """<p>Every row of the paper's table 1 is another belief about what an image is. Here all of them stand on one
ladder: as the paper quotes them, and measured on this page's terms, {time} of one core for each, on CIFAR-10 made
smaller to {size}×{size}. Smaller photos have less in common with their neighbours, so they cost more: look at the order
and the steps, not at the distance between ◇ and ●. <i>At most</i> marks what is a bound and not the likelihood
itself.</p><p>{why}</p>"""

CURVES = """<p>The runs of the ladder on their way, scored on validation photos. The Gaussian needs no minutes: it is a
formula. Point at a curve or a name, or tap it, to tell it from the others.</p>"""

RACE = """### The race, in small
The paper's claim is about time: its Gated PixelCNN reaches the likelihood of the PixelRNN in less than half the
training time. Four networks of equal size learn from the same images in the same order; the clock counts training
alone. Press **Play**, or move through the race; against *steps* instead of seconds, waiting costs nothing, and the
recurrent networks look better."""

NO_LADDER = """The ladder has not been measured yet: `python -m pixelcnn_core ladder --help`."""

NO_RACE = """The race has not been run yet: `python -m pixelcnn_core race --help`."""

SAMPLERS = """### The race of the samplers
Drawing is sequential, but it need not be wasteful. The naive way asks the whole network again for every sub-pixel; the
cached way computes each activation once, when everything it depends on is known. Both use the same random numbers, so
they must draw the same image, and that is checked below. Both are warmed up; of the cached one the median of several
drawings counts."""

QUALITY = """<p>Likelihood says how well a model predicts, not how its samples look. Here a classifier that was trained
on real images only looks at them: does it see the class that was asked for? How far are its features of the samples
from those of test images (Fréchet distance), how many samples lie among the real images (precision), and how many real
images among the samples (recall)? Samples that huddle in the middle, each plausible and none unusual, have a high
precision and a low recall. The last column is what as many real images get.</p>"""

PLAY = Path(__file__).with_name("race_play.js").read_text(encoding="utf-8")


def build(page: gr.Blocks, service: Service) -> None:
    """The tab's components and events, inside an open `gr.Tab`."""
    assets = service.folder.parent
    races, baselines = read_races(assets / "race"), read_baselines(assets / "race")
    ladder, infos = read_ladder(assets / "ladder"), list(service.infos.values())
    longer = read_longer(assets / "ladder")
    with gr.Column(elem_classes="scoreboard"):
        show(headline_html(infos, ladder, longer) + MEANING, "scoreboard-headline")
        gr.Markdown(RACE)
        if races:
            build_race(page, races)
        else:
            gr.Markdown(NO_RACE, elem_id="no-race")
        gr.Markdown(SAMPLERS)
        build_samplers(page, service)
        if not ladder:
            gr.Markdown(NO_LADDER, elem_id="no-ladder")
        folds([*(ladder_folds(ladder, longer, infos) if ladder else ()),
               fold("imagenet-subset", "ImageNet, a subset", "what models of 32 of its 1,000 classes reach",
                    subset_html([*infos, *measured_only(assets / "ladder")])),
               fold("chains", "The chains in numbers", "bits, training, drawing and likeness of coarse to fine",
                    chains_html(infos, service.folder)),
               fold("paper-tables", "The paper's tables", "in full, and what was measured on the same images",
                    tables_html(infos, races.values(), baselines)),
               fold("quality", "Sample quality", "how the samples look to a classifier", judged(service))])


def ladder_folds(ladder: Ladder, longer: dict[str, tuple[float, float]], infos: list[ModelInfo]) -> list[str]:
    """The ladder, and its curves."""
    why, end = ladder_words(ladder, longer, own_model(infos)), end_words(ladder)
    why = f"<b>Why is the paper's model not at the top?</b> {why} {end}" if why and end else why
    ladder_part = (f"{LADDER.format(time=ladder.time, size=ladder.size, why=why)}{ladder_html(ladder)}"
                   f"{order_html(ladder, longer)}{measured_how(ladder)}")
    curves = curves_svg(ladder)
    return [fold("ladder", "The ladder",
                 "every row of the paper's table 1, as quoted and as measured here, with samples", ladder_part),
            fold("ladder-curves", "Bits against minutes", f"how fast each of these {len(shown(ladder))} models learns",
                 curves and CURVES + curves)]


def judged(service: Service) -> str:
    """The sample quality of all models that have it; empty without any."""
    tables = [quality_html(name, quality) for name in service.names
              if (quality := read_results(service.folder / name, "quality.json"))]
    return f'{QUALITY}<div class="boards">{"".join(tables)}</div>' if any(tables) else ""


def show(text: str, elem_id: str) -> gr.HTML:
    return gr.HTML(text, elem_id=elem_id, apply_default_css=False)


def measured_how(ladder: Ladder) -> str:
    """Where the ladder's numbers come from."""
    return (f'<p class="facts">Measured on {ladder.images_test:,} test photos; minutes are '
            f"{html.escape(ladder.clock)}; {html.escape(ladder.hardware)}. Learning rates were chosen on validation "
            "photos, with equal care for each. "
            "<code>python -m pixelcnn_core ladder --data data --out runs/ladder</code> does it again; the files are in "
            "<code>demo/assets/ladder</code>, and <code>docs/ladder.md</code> goes through the rungs one by one.</p>")


def build_race(page: gr.Blocks, races: dict[str, Race]) -> None:
    """The plot with its slider, and the table of one race at a time."""
    first = next(iter(races.values()))
    with gr.Row(elem_classes="race"):
        with gr.Column(elem_classes="race-stage"):
            plot = show(race_svg(first, first.seconds), "race-plot")
            which = gr.Radio([(race.title, key) for key, race in races.items()], value=first.key, label="Images",
                             elem_id="race-data", elem_classes="chips")
        with gr.Column(elem_classes="race-margin"):
            play = gr.Button("▶ Play", variant="primary", elem_id="race-play")
            percent = gr.Slider(0, 100, value=100, step=1, elem_id="race-percent",
                                label="Moment, in percent of the race")
            standing = show(words(first, first.seconds), "race-standing")
            axis = gr.Radio([("seconds of training", "seconds"), ("training steps", "steps")], value="seconds",
                            label="Against", elem_id="race-axis", elem_classes="chips")
    table = show(facts(first), "race-table")

    def race_at(which, percent, axis="seconds"):
        """The race of the models on the data set `which`, at a moment in percent of its time.

        Time is counted in `axis`, "seconds" or "steps". Returns HTML: the curves as an SVG; the standing and the leader
        in words; the table of final numbers.
        """
        race = races.get(which, first) if isinstance(which, str) else first
        axis = "steps" if axis == "steps" else "seconds"
        moment = number(percent, 0, 100, 100) / 100 * race.end(axis)
        return race_svg(race, moment, axis), words(race, moment, axis), facts(race)

    play.click(None, js=PLAY)
    gr.on([percent.change, which.change, axis.change], race_at, [which, percent, axis], [plot, standing, table],
          api_name="race_at", queue=False, show_progress="hidden", trigger_mode="always_last", preprocess=False)
    address.remember(page, ID, {"data": which, "time": percent, "axis": axis})


def words(race: Race, moment: float, axis: str = "seconds") -> str:
    return f'{legend(race, moment, axis)}<p class="leader" role="status">{leader_words(race, moment, axis)}</p>'


def facts(race: Race) -> str:
    about = (f"{html.escape(race.title)}; measured on {race.images_test:,} test images; batches of {race.batch}; "
             f"trained on {html.escape(race.hardware)}; seconds are {html.escape(race.clock)}. Another data set, size "
             "or number of levels: not to be set beside the paper's numbers.")
    return folded("All numbers of this race", f'<div class="scrolls"><div class="boards">{race_table(race)}</div></div>'
                                              f'<p class="facts">{about}</p>')


def build_samplers(page: gr.Blocks, service: Service) -> None:
    """Naive and cached, side by side, live."""
    board = ScoreboardService(service)
    kept = {name: race for name in service.single_names if (race := read_race(service.folder / name))}
    first = next(iter(kept), min(service.single_names, key=lambda name: service.info(name).image_size))
    label, first_seed = kept[first][:2] if kept else (service.settings(first).classes[0], 7)
    opening, words = opening_of(service, first, label, first_seed)
    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = Toolbar(gr.Button("Race", variant="primary", elem_id="samplers-generate"),
                                gr.Button("Stop", interactive=False, elem_id="samplers-stop"),
                                gr.Button("Race another", elem_id="samplers-new-seed"),
                                gr.Button("Copy link", elem_id="samplers-link", elem_classes="quiet"),
                                gr.Button("Download PNG", elem_id="samplers-png", elem_classes="quiet"))
            status = gr.HTML(words, elem_id="samplers-status", apply_default_css=False)
            stage = gr.HTML(opening, elem_id="samplers", apply_default_css=False)
        with gr.Column(elem_classes="margin"):
            model = gr.Radio(model_choices(service.single_names), value=first, label="Model", elem_id="samplers-model",
                             info="Of a 32×32 image the naive sampler draws the first rows only: all would take "
                                  "a minute.")
            which = gr.Dropdown([*service.info(first).classes, NO_CLASS], value=label, label="Class",
                                elem_id="samplers-class")
            seed = gr.Number(first_seed, label="Seed", precision=0, elem_id="samplers-seed",
                             info="The random numbers of both.")
            gr.HTML(measured_samplers(service), elem_id="samplers-facts", apply_default_css=False)
    drawn = gr.State()

    def race_samplers(model, which, seed):
        """Draw one image of a class with the naive and with the cached sampler, from the same random numbers.

        Returns, again after each step: both images as HTML with embedded PNGs; a progress text as HTML, at the end
        with the result of comparing them; and the seed that was used.
        """
        try:
            settings = service.settings(model, classes=which if which is None else [which], images=1, seed=seed)
            empty = samplers_html(blank(service, settings.model))
            yield empty, status_html("Loading the model…", 0), settings.seed, None
            for stage, text in draw(board, settings):
                yield stage, text, gr.skip(), None
        except UserError as error:
            yield gr.skip(), error_status(error), gr.skip(), None
            raise refusal(error) from error

    runs = wire(tools, status, seed, drawn, api_name="race_samplers", sampling={
        "fn": race_samplers, "inputs": [model, which, seed], "outputs": [stage, status, seed, drawn],
        "preprocess": False})

    def show_model(name, label, seed):
        """The classes of another model; its stored race, if that has this class and seed."""
        names = [*service.info(name).classes, NO_CLASS]
        label = label if label in names else names[0]
        return gr.Dropdown(choices=names, value=label), *opening_of(service, name, label, seed), *idle_buttons()

    model.change(show_model, [model, which, seed], [which, stage, status, *tools.buttons], cancels=runs,
                 preprocess=False, **QUIET)
    address.remember(page, ID, {"model": model, "class": which, "seed": seed})


def draw(board: ScoreboardService, settings) -> Iterator[tuple]:
    """Run one race and yield (stage, status), at most every FRAME_SECONDS."""
    shown = 0.0
    for moment in board.race(settings):
        if moment.state == "waiting":
            yield gr.skip(), status_html("Waiting: the model serves one request at a time…", 0)
            continue
        if moment.state == "sampling" and time.monotonic() - shown < FRAME_SECONDS:
            continue
        shown = time.monotonic()
        if moment.state == "sampling":
            text = status_html(f"Pixel <b>{moment.pixels}</b> of {moment.of} · the cached sampler is done",
                               moment.pixels / moment.of)
        else:
            late = "Out of time. " if moment.state == "out of time" else ""
            text = status_html(late + verdict(moment))
        yield samplers_html(moment), text


def blank(service: Service, name: str) -> RaceMoment:
    """Before anything is drawn."""
    info = service.info(name)
    empty = np.zeros((info.image_size, info.image_size, info.channels), np.uint8)
    return RaceMoment("waiting", empty, empty, whole=empty.size)


def opening_of(service: Service, name: str, label, seed) -> tuple[str, str]:
    """What a model's race opens with, (stage, status): the stored race, if that has this class and seed."""
    kept = read_race(service.folder / name)
    if kept is None or kept[:2] != (label, seed):
        return samplers_html(blank(service, name)), status_html("Nothing drawn yet: press <b>Race</b>.")
    return samplers_html(kept[2]), status_html(f"<b>A stored race.</b> {verdict(kept[2], stored=True)}")


def measured_samplers(service: Service) -> str:
    """The benchmark of the first model that has one, in one sentence; empty without any."""
    for name in service.single_names:
        benchmark = read_measured(service.folder / name, "benchmark.json")
        one = benchmark.get("batch", {}).get("1")
        if one:
            size = service.info(name).image_size
            return (f'<p class="facts">The larger the image, the more is saved: of {size}×{size} pixels '
                    f"(<b>{html.escape(model_name(name))}</b>) the naive sampler took {one['naive_s']:.0f} s, the "
                    f"cached one {one['cached_s']:.3f} s, measured on "
                    f"{html.escape(benchmark['device'])}, {benchmark['threads']} threads. Where the machine does other "
                    "things as well, the cached one loses more: its steps are short, and each has to wait.</p>")
    return ""
