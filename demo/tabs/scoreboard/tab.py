"""Tab "Scoreboard": three numbers, the race of the models, the race of the samplers; the ladder of likelihoods and all
tables folded."""

import html
from pathlib import Path

import gradio as gr
import numpy as np

from demo.kit import address
from demo.kit.frames import frames
from demo.kit.html_block import html_block
from demo.kit.model_facts import model_choices
from demo.kit.panels import image_tag, opaque
from demo.kit.run_controls import QUIET, Toolbar, idle_buttons, sharing_buttons, wire
from demo.kit.status import status_html
from demo.kit.stored import read_stored
from demo.service.bridge import ModelInfo, Service
from demo.service.settings import NO_CLASS, number
from demo.tabs.scoreboard.chain_numbers import chains_html
from demo.tabs.scoreboard.curves_plot import curves_svg, shown
from demo.tabs.scoreboard.folds import fold, folded, folds
from demo.tabs.scoreboard.headline import end_words, headline_html, ladder_words, notes_html, own_model
from demo.tabs.scoreboard.ladder_panel import ladder_html, order_html
from demo.tabs.scoreboard.ladder_results import Ladder, measured_only, read_ladder, read_longer
from demo.tabs.scoreboard.panels import quality_html, read_race, samplers_html, verdict
from demo.tabs.scoreboard.paper_tables import subset_html, tables_html
from demo.tabs.scoreboard.race_plot import legend, race_svg
from demo.tabs.scoreboard.race_results import (
    Race,
    about_words,
    claim_words,
    leader_words,
    race_table,
    race_tag,
    read_baselines,
    read_races,
)
from demo.tabs.scoreboard.sampler_times import SamplerTimes, read_times, times_html
from demo.tabs.scoreboard.service import RaceMoment, ScoreboardService
from pixelcnn_core.results import read_results

ID, TITLE = "scoreboard", "Scoreboard"

LADDER = """<p>Every row of the paper's table 1 is another belief about what an image is. Here all of them stand on one
ladder: as the paper quotes them, and measured on this page's terms, {time} of one core for each, on CIFAR-10 made
smaller to {size}×{size}. Smaller photos have less in common with their neighbours, so they cost more: look at the order
and the steps, not at the distance between ◇ and ●. <i>At most</i> marks what is a bound and not the likelihood
itself.</p><p>{why}</p>"""

CURVES = """<p>The runs of the ladder on their way, scored on validation photos. The Gaussian needs no minutes: it is a
formula. In colour are the paper's three networks, RIDE and the chain. Tap a curve or a name to pin it.</p>"""

RACE = """<p class="rules">Four networks of equal size learn from the same pictures. The lower a curve, the better its
network guesses pictures that it has never seen.</p>"""

RACE_MORE = """<p class="facts">Counted in <i>steps</i>, waiting costs nothing, and the networks with a memory look
better.</p>"""

NO_LADDER = """The ladder has not been measured yet: `python -m pixelcnn_core ladder --help`."""

NO_RACE = """The race has not been run yet: `python -m pixelcnn_core race --help`."""

LIVE = """<p class="live">Let both draw now. They use the same random numbers, so they must draw the same picture:
that is checked.</p>"""

HOW_TIMED = folded("How both are timed", """<p>Both are warmed up; of the cached one the median of several drawings
counts, of the naive one that of its pixels, times their number. Where the machine does other things as well, the cached
one loses more: its steps are short, and each has to wait.</p>""")

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
        times = read_times(service)
        first = next(iter(races.values()), None)
        show(headline_html(infos, first, times), "scoreboard-headline")
        notes = notes_html(infos, first, times)
        if races:
            build_race(page, races, notes)
        else:
            gr.Markdown(NO_RACE, elem_id="no-race")
            show(notes, "scoreboard-notes")
        show(times_html(times) + LIVE, "samplers-facts")
        build_samplers(page, service, times)
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
    tables = [quality_html(name, quality, strip(service, name)) for name in service.names
              if (quality := read_results(service.folder / name, "quality.json"))]
    return f'{QUALITY}<div class="boards">{"".join(tables)}</div>' if any(tables) else ""


def strip(service: Service, name: str) -> str:
    """The stored samples of a model, drawn with the settings that it was judged with, side by side; HTML."""
    stored = read_stored(service.folder / name, service.info(name))
    if stored is None:
        return ""
    flat = stored.images.reshape(-1, *stored.images.shape[2:])[:12]  # (n, H, W, C)
    words = f"{len(flat)} samples: {', '.join(stored.settings.classes)}"
    return image_tag(opaque(np.concatenate(list(flat), 1)), words)


def show(text: str, elem_id: str) -> gr.HTML:
    return html_block(text, elem_id=elem_id)


def measured_how(ladder: Ladder) -> str:
    """Where the ladder's numbers come from."""
    return (f'<p class="facts">Measured on {ladder.images_test:,} test photos; minutes are '
            f"{html.escape(ladder.clock)}; {html.escape(ladder.hardware)}. Learning rates were chosen on validation "
            "photos, with equal care for each. "
            "<code>python -m pixelcnn_core ladder --data data --out runs/ladder</code> does it again; the files are in "
            "<code>demo/assets/ladder</code>, and <code>docs/ladder.md</code> goes through the rungs one by one.</p>")


def build_race(page: gr.Blocks, races: dict[str, Race], notes: str) -> None:
    """The plot with its slider, and the table of one race at a time; below them `notes`, HTML."""
    first = next(iter(races.values()))
    with gr.Row(elem_classes="race"):
        with gr.Column(elem_classes="race-stage"):
            plot = show(stage(first, first.seconds), "race-plot")
            with gr.Row(elem_classes="race-player"):
                play = gr.Button("▶ Play", variant="primary", elem_id="race-play")
                percent = gr.Slider(0, 100, value=100, step=1, label="Moment, in percent",
                                    elem_id="race-percent")
            with gr.Row(elem_classes="race-choices"):
                with gr.Column(min_width=260):
                    which = gr.Radio([(race.title, key) for key, race in races.items()], value=first.key,
                                     label="Images", elem_id="race-data", elem_classes="chips")
                with gr.Column(min_width=260):
                    axis = gr.Radio([("seconds of training", "seconds"), ("training steps", "steps")],
                                    value="seconds", label="Against", elem_id="race-axis", elem_classes="chips")
                    html_block(RACE_MORE)
            table = show(facts(first), "race-table")
            show(notes, "scoreboard-notes")
        with gr.Column(elem_classes="race-margin"):
            html_block(RACE)
            standing = show(words(first, first.seconds), "race-standing")

    def race_at(which, percent, axis="seconds"):
        """The race of the models on the data set `which`, at a moment in percent of its time.

        Time is counted in `axis`, "seconds" or "steps". Returns HTML: the curves as an SVG; the standing and the leader
        in words; the table of final numbers. Above the curves stands what they say of the paper's claim.
        """
        race = races.get(which, first) if isinstance(which, str) else first
        axis = "steps" if axis == "steps" else "seconds"
        moment = number(percent, 0, 100, 100) / 100 * race.end(axis)
        return stage(race, moment, axis), words(race, moment, axis), facts(race)

    play.click(None, js=PLAY)
    gr.on([percent.change, which.change, axis.change], race_at, [which, percent, axis], [plot, standing, table],
          api_name="race_at", queue=False, show_progress="hidden", trigger_mode="always_last", preprocess=False)
    address.remember(page, ID, {"data": which, "time": percent, "axis": axis})


def stage(race: Race, moment: float, axis: str = "seconds") -> str:
    return claim_words(race, axis) + race_svg(race, moment, axis)


def words(race: Race, moment: float, axis: str = "seconds") -> str:
    return f'{legend(race, moment, axis)}<p class="leader">{leader_words(race, moment, axis)}</p>'


def facts(race: Race) -> str:
    about = (f"{race_tag(race)} {race.title}; the same images in the same order; measured on {race.images_test:,} test "
             f"images; batches of {race.batch}; trained on {race.hardware}; seconds are {race.clock}, of training "
             "alone. Another data set, size or number of levels: not to be set beside the paper's numbers.")
    numbers = (f'<p class="facts">{html.escape(about)}</p>'
               f'<div class="scrolls"><div class="boards">{race_table(race)}</div></div>')
    return about_words(race) + folded("How this race was measured, and all its numbers", numbers)


def build_samplers(page: gr.Blocks, service: Service, times: SamplerTimes | None) -> None:
    """Naive and cached, side by side, live."""
    board = ScoreboardService(service)
    kept = {name: race for name in service.single_names if (race := read_race(service.folder / name))}
    first = next(iter(kept), min(service.single_names, key=lambda name: service.info(name).image_size))
    label, first_seed = kept[first][:2] if kept else (service.settings(first).classes[0], 7)
    opening, words = opening_of(service, first, label, first_seed, times)
    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="stage"):
            with gr.Row(elem_classes="toolbar"):
                tools = Toolbar(gr.Button("Race", variant="primary", elem_id="samplers-generate"),
                                gr.Button("Stop", interactive=False, elem_id="samplers-stop"),
                                gr.Button("Race another", elem_id="samplers-new-seed"))
                sharing_buttons("samplers-")
            status = html_block(words, elem_id="samplers-status")
            stage = html_block(opening, elem_id="samplers")
        with gr.Column(elem_classes="margin"):
            model = gr.Radio(model_choices(service.single_names), value=first, label="Model", elem_id="samplers-model",
                             info="Of a 32×32 image the naive sampler draws the first rows only: all would take "
                                  "too long.")
            which = gr.Dropdown([*service.info(first).classes, NO_CLASS], value=label, label="Class",
                                elem_id="samplers-class")
            seed = gr.Number(first_seed, label="Seed", precision=0, elem_id="samplers-seed",
                             info="The random numbers of both.")
            html_block(HOW_TIMED)
    drawn = gr.State()

    def race_samplers(model, which, seed):
        """Draw one image of a class with the naive and with the cached sampler, from the same random numbers.

        Returns, again after each step: both images as HTML with embedded PNGs; a progress text as HTML, at the end
        with the result of comparing them; and the seed that was used.
        """
        settings = service.settings(model, classes=which if which is None else [which], images=1, seed=seed)
        yield from frames(board.race(settings), lambda moment: moment_shown(moment, times),
                          lambda words: (gr.skip(), words, settings.seed, None))

    runs = wire(tools, status, seed, drawn, api_name="race_samplers", sampling={
        "fn": race_samplers, "inputs": [model, which, seed], "outputs": [stage, status, seed, drawn],
        "preprocess": False})

    def show_model(name, label, seed):
        """The classes of another model; its stored race, if that has this class and seed."""
        names = [*service.info(name).classes, NO_CLASS]
        label = label if label in names else names[0]
        return gr.Dropdown(choices=names, value=label), *opening_of(service, name, label, seed, times), *idle_buttons()

    model.change(show_model, [model, which, seed], [which, stage, status, *tools.buttons], cancels=runs,
                 preprocess=False, **QUIET)
    address.remember(page, ID, {"model": model, "class": which, "seed": seed})


def moment_shown(moment: RaceMoment, times: SamplerTimes | None) -> tuple:
    """(stage, status, seed, how far) of a moment of a race."""
    if moment.state == "sampling":
        text = status_html(f"Pixel <b>{moment.pixels}</b> of {moment.of} · the cached sampler is done",
                           moment.pixels / moment.of)
    else:
        text = status_html("Out of time. " * (moment.state == "out of time") + verdict(moment, times=times))
    return samplers_html(moment), text, gr.skip(), None


def blank(service: Service, name: str) -> RaceMoment:
    """Before anything is drawn."""
    info = service.info(name)
    empty = np.zeros((info.image_size, info.image_size, info.channels), np.uint8)
    return RaceMoment("waiting", empty, empty, whole=empty.size)


def opening_of(service: Service, name: str, label, seed, times: SamplerTimes | None) -> tuple[str, str]:
    """What a model's race opens with, (stage, status): the stored race, if that has this class and seed."""
    kept = read_race(service.folder / name)
    if kept is None or kept[:2] != (label, seed):
        return samplers_html(blank(service, name)), status_html("Nothing drawn yet: press <b>Race</b>.")
    return samplers_html(kept[2]), status_html(f"<b>A stored race.</b> {verdict(kept[2], True, times)}")
