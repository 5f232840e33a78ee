"""What one picture costs by the two ways of drawing it, read from the benchmark beside a checkpoint: two times as bars
to scale, where the first comes from and where the second, and how many times as fast that is."""

from dataclasses import dataclass

from demo.kit.model_facts import model_name
from demo.service.bridge import Service
from pixelcnn_core.results import read_measured


@dataclass(frozen=True)
class SamplerTimes:
    """Seconds for one picture of `values` sub-pixels: by the naive way, by the cached one, and of one run of the whole
    network; `timed` of the naive way's runs were timed."""

    name: str
    size: int
    values: int
    naive: float
    cached: float
    run: float
    timed: int
    machine: str

    @property
    def faster(self) -> float:
        return self.naive / self.cached


def read_times(service: Service) -> SamplerTimes | None:
    """The benchmark of the first model that has one; None without any."""
    for name in service.single_names:
        benchmark = read_measured(service.folder / name, "benchmark.json")
        if one := benchmark.get("batch", {}).get("1"):
            info, threads = service.info(name), benchmark["threads"]
            return SamplerTimes(name, info.image_size, info.channels * info.image_size ** 2, float(one["naive_s"]),
                                float(one["cached_s"]), float(one["forward_s"]), int(benchmark["naive_steps_timed"]),
                                f"{benchmark['device']}, {threads} thread{'s' * (threads != 1)}")
    return None


def times_html(times: SamplerTimes | None) -> str:
    """Both ways by name, their seconds in words and as bars, and why one is so much longer; empty without times."""
    if times is None:
        return ""
    slow, fast = in_seconds(times.naive), in_seconds(times.cached)
    most = max(times.naive, times.cached)
    bars = "".join(f'<div class="{name}"><span>{title}</span><i><b style="width:{100 * seconds / most:.3f}%"></b></i>'
                   f"<span>{in_seconds(seconds)}</span></div>"
                   for name, title, seconds in (("naive", "Naive", times.naive), ("cached", "Cached", times.cached)))
    return (f'<h3 class="claim">Drawing one photo the naive way takes <b>{slow}</b>. The cached way draws the '
            f"same photo in <b>{fast}</b>, {about(times.faster)} times as fast.</h3>"
            f'<div class="times" role="img" aria-label="Naive {slow}, cached {fast}, to scale">{bars}</div>'
            f'<p class="why"><b>Naive</b>: a photo of {times.size}×{times.size} pixels has {times.values:,} values, '
            f"and for each of them the whole network runs, {about(1000 * times.run)} thousandths of a second: {slow}. "
            f"<b>Cached</b>: what was computed for one value is kept for the next, and all {times.values:,} values "
            f"together cost as much as about {about(times.cached / times.run)} such runs: {fast}.</p>")


def measured_on(times: SamplerTimes) -> str:
    """What the two times belong to, as a sentence."""
    return (f"{times.size}×{times.size} pixels, “{model_name(times.name)}”, on {times.machine}; the naive way from "
            f"{times.timed} of its {times.values:,} runs.")


def in_seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{float(f'{seconds:.2g}'):g} s"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def about(number: float) -> str:
    """Two digits of a number: clocks are no better than that."""
    return f"{float(f'{number:.2g}'):,g}"
