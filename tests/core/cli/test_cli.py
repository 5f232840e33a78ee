"""The command line as people type it: numbers go to files, mistakes end with one sentence."""

import errno
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tiny_runs import tiny_recipe
from typer.testing import CliRunner

from pixelcnn_core.cli.main import app, main
from pixelcnn_core.cli.options import find_classes
from pixelcnn_core.evaluation.benchmark import peak_elsewhere
from pixelcnn_core.results import weights_hash
from pixelcnn_core.training.stop import TrainingStopped
from tests.conftest import small_model

ROOT = Path(__file__).parents[3]


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs `pixelcnn WORDS` in this process, from its `main`: (exit status, what it wrote to stderr)."""
    def run(*words) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["pixelcnn", *map(str, words)])
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code or 0, capsys.readouterr().err

    return run


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "tiny"
    small_model(classes=3, class_names=("cat", "dog", "ship")).save_pretrained(folder)
    return folder


def test_train_evaluate_and_card(tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(tiny_recipe(validate=0).to_dict()), encoding="utf-8")
    runner = CliRunner()
    assert runner.invoke(app, ["train", str(tmp_path / "mine.json"), "--data", "nowhere", "--out",
                               str(tmp_path / "run")]).exit_code == 0
    done = runner.invoke(app, ["evaluate", str(tmp_path / "run"), "--data", "nowhere", "--limit", "10", "--json",
                               str(tmp_path / "numbers.json")])
    assert done.exit_code == 0
    assert json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))["images"] == 10
    assert runner.invoke(app, ["card", str(tmp_path / "run")]).exit_code == 0
    assert (tmp_path / "run" / "README.md").exists()


def test_sample_by_name_and_number(checkpoint, tmp_path):
    done = CliRunner().invoke(app, ["sample", str(checkpoint), "--classes", "ship, 0", "--n", "2", "--seed", "3",
                                    "--out", str(tmp_path / "grid.png"), "--scale", "1"])
    assert done.exit_code == 0 and "4 images" in done.output
    first = Image.open(tmp_path / "grid.png")
    assert first.height == 2 * 5 + 2
    CliRunner().invoke(app, ["sample", str(checkpoint), "--classes", "2,cat", "--n", "2", "--seed", "3", "--out",
                             str(tmp_path / "again.png"), "--scale", "1"])
    assert Image.open(tmp_path / "again.png").tobytes() == first.tobytes()


def test_mistakes_are_one_sentence(command, checkpoint, tmp_path):
    for words, sentence in (
        (["sample", checkpoint, "--classes", "horse"], "no class is called 'horse'; there are cat, dog, ship"),
        (["sample", checkpoint, "--out", tmp_path / "grid.exe"], "--out must be a .png"),
        (["train", "digitz", "--data", "x", "--out", tmp_path / "run"], "no recipe is called 'digitz'"),
        (["evaluate", tmp_path / "nothing", "--data", "x"], "no checkpoint"),
    ):
        status, said = command(*words)
        assert status == 1 and sentence in said and len(said.strip().splitlines()) == 1


def test_it_is_a_program(tmp_path):
    done = subprocess.run([sys.executable, "-m", "pixelcnn_core", "train", "digitz", "--data", "x", "--out", tmp_path],
                          cwd=ROOT, encoding="utf-8", capture_output=True)
    assert done.returncode == 1 and done.stderr.startswith("error: no recipe is called 'digitz'")


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_was_asked_to_stop_ends_with_the_number_of_the_signal(command, monkeypatch, tmp_path, number, code):
    def stopped(*_, **__):
        raise TrainingStopped("stopped after step 3: go on with --resume", number)

    monkeypatch.setattr("pixelcnn_core.training.loop.train", stopped)
    assert command("train", "digits", "--data", "x", "--out", tmp_path) == (
        code, "stopped after step 3: go on with --resume\n")


def test_the_verbs_are_listed():
    done = CliRunner().invoke(app, ["--help"])
    for verb in ("train", "evaluate", "sample", "benchmark", "card", "distill", "identity"):
        assert verb in done.output


@pytest.mark.slow
def test_benchmark_takes_batch_sizes_as_the_readme_writes_them(command, checkpoint, tmp_path):
    status, said = command("benchmark", checkpoint, "--batch", 1, 3, "--repeats", 1, "--json",
                           tmp_path / "numbers.json")
    assert status == 0, said
    numbers = json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))
    assert list(numbers["batch"]) == ["1", "3"] and list(numbers["peak_mb"]) == ["1", "3"]
    assert numbers["weights"] == weights_hash(checkpoint)
    for row in numbers["batch"].values():
        assert {"forward_s", "naive_s", "cached_s", "cached_over_forward", "naive_over_cached"} <= set(row)
        assert row["naive_over_cached"] == pytest.approx(row["naive_s"] / row["cached_s"], rel=0.05)
    assert 1 < numbers["batch"]["1"]["fixed_point_passes"] <= 3 * 5 * 5 + 1  # batch 3 is not a single image
    assert numbers["batch"]["1"]["fixed_point_s"] > 0 and "fixed_point_s" not in numbers["batch"]["3"]
    assert numbers["threads"] >= 1 and {"python", "torch", "numba"} <= set(numbers["versions"])
    assert all(50 < peak < 5000 for peak in numbers["peak_mb"].values())


def test_benchmark_runs_where_the_device_is_named_and_there_is_no_proc(command, checkpoint, monkeypatch):
    monkeypatch.setenv("PIXELCNN_DEVICE", "abacus")
    status, said = command("benchmark", checkpoint)
    assert status == 1 and "there is no device 'abacus'" in said
    assert 50 < peak_elsewhere() < 50_000
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    assert peak_elsewhere() == 0


def test_benchmark_refuses_sizes_that_are_none(command, checkpoint):
    for size, sentence in (("many", "whole numbers"), ("0", "at least 1")):
        status, said = command("benchmark", checkpoint, "--batch", 1, size)
        assert status == 1 and sentence in said


def test_a_file_that_cannot_be_written_is_found_before_the_work(checkpoint, tmp_path, monkeypatch):
    (tmp_path / "folder.png").mkdir()
    for words, reason in ((["sample", checkpoint, "--out", tmp_path / "none" / "grid.png"], "make it first"),
                          (["sample", checkpoint, "--out", tmp_path / "folder.png"], "is a folder"),
                          (["evaluate", checkpoint, "--data", "x", "--json", tmp_path / "none" / "numbers.json"],
                           "make it first")):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert isinstance(done.exception, ValueError) and reason in str(done.exception)
    monkeypatch.setattr("os.access", lambda path, mode: False)  # as for everyone but root in a read-only folder
    done = CliRunner().invoke(app, ["sample", str(checkpoint), "--out", str(tmp_path / "grid.png")])
    assert isinstance(done.exception, ValueError) and "grid.png cannot be written" in str(done.exception)


def test_a_full_disk_names_the_file_and_leaves_the_old_one(checkpoint, tmp_path, monkeypatch):
    """A full disk's own error names none."""
    def full(self, place, *words, **options):
        Path(place).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    (old := tmp_path / "grid.png").write_bytes(b"old")
    monkeypatch.setattr("PIL.Image.Image.save", full)
    done = CliRunner().invoke(app, ["sample", str(checkpoint), "--classes", "2", "--n", "1", "--out", str(old)])
    assert isinstance(done.exception, OSError)
    assert str(done.exception) == f"{old} could not be written: No space left on device"
    assert old.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_bundled_checkpoints_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["sample", "demo/assets/models/digits", "--classes", "7", "--n", "1"])
    assert done.exit_code == 0 and Path("grid.png").exists()


def test_class_names_with_commas():
    names = ("crane, machine", "crane", "a,b", "dog")
    assert find_classes("dog, crane, machine,a,b", names) == {3: "dog", 0: "crane, machine", 2: "a,b"}
    assert find_classes("crane,3", names) == {1: "crane", 3: "dog"}
    with pytest.raises(ValueError, match="no class is called 'machine'"):
        find_classes("machine", names)


def test_what_has_no_meaning_for_a_model_is_refused(tmp_path):
    small_model(channels=1).save_pretrained(tmp_path / "grey")
    done = CliRunner().invoke(app, ["sample", str(tmp_path / "grey"), "--guidance", "2"])
    assert "has no classes" in str(done.exception)


def test_a_device_that_is_not_there_is_one_sentence(checkpoint, monkeypatch):
    for name in ("cuda:7", "gpu"):
        monkeypatch.setenv("PIXELCNN_DEVICE", name)
        done = CliRunner().invoke(app, ["sample", str(checkpoint)])
        assert f"there is no device '{name}' here" in str(done.exception)
