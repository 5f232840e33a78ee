"""The house rules: what a Space and a stranger need, and what no commit may break."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8")
    if listed.returncode:
        pytest.skip("needs git and a git checkout: clone the repository")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def front_matter() -> dict[str, str]:
    block = README.split("---")[1]
    return dict(line.split(": ", 1) for line in block.strip().splitlines() if ": " in line)


def test_space_front_matter_fits_the_requirements():
    matter = front_matter()
    assert matter["sdk"] == "gradio" and (ROOT / matter["app_file"]).is_file()
    assert matter["license"] == "mit" and "MIT License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    low, high = re.search(r"^gradio>=([\d.]+),<([\d.]+)$", requirements, re.M).groups()

    def numbers(version: str) -> list[int]:
        return [int(part) for part in version.strip('"').split(".")]

    assert numbers(low) <= numbers(matter["sdk_version"])[:len(numbers(low))] < numbers(high)
    assert matter["python_version"].strip('"') in ("3.11", "3.12")


def test_the_readme_has_the_two_commands_and_the_test_command():
    for command in ("pip install -r requirements.txt", "python app.py", "python -m pytest"):
        assert command in README
    assert "python -m pytest" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_pages_quote_their_numbers_from_the_result_files():
    from pixelcnn_core.cards.readme import PAGES, TABLES, fill

    pages = [page.read_text(encoding="utf-8") for page in PAGES]
    for name in TABLES:
        assert any(f"<!-- {name} -->" in page for page in pages)
    assert [fill(page) for page in pages] == pages, "renew the tables: python -m pixelcnn_core.cards.readme"


def test_every_file_the_readme_names_exists():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_every_verb_in_the_readme_exists():
    from typer.main import get_command

    from pixelcnn_core.cli.main import app

    verbs = set(re.findall(r"python -m pixelcnn_core (\w[\w-]*)", README))
    assert verbs and verbs <= set(get_command(app).commands)


def test_no_file_is_above_ten_megabytes():
    for path in tracked_files():
        assert path.stat().st_size < 10_000_000, path


def test_sources_stay_readable():
    """One idea per file: below about 350 lines; and every module says what it is for."""
    for path in tracked_files():
        if path.suffix == ".py" and path.stat().st_size:
            text = path.read_text(encoding="utf-8")
            assert len(text.splitlines()) <= 350, path
            assert text.startswith(('"""', "#!")), path


def test_the_core_knows_nothing_of_the_page():
    for path in (ROOT / "pixelcnn_core").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) (gradio|demo)\b", path.read_text(encoding="utf-8"), re.M), path
    for path in (ROOT / "demo").glob("*.py"):
        if not path.name.endswith(("service.py", "make_assets.py")):
            assert not re.search(r"^\s*(import|from) torch\b", path.read_text(encoding="utf-8"), re.M), path


WRITERS = {"write_text", "write_bytes", "savefig", "save_file", "save"}
NO_FILES = {("save", "buffer"), ("save", "out / STATE_FILE")}  # into memory; a method that does as it should


def writes(node: ast.Call) -> bool:
    """Whether a call writes a file: by one of the names, or by `open` with a mode to write in."""
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name == "open":
        values = [each.value for each in [*node.args, *(key.value for key in node.keywords)]
                  if isinstance(each, ast.Constant)]
        return any(re.fullmatch("[rwxabt+]*[wxa+][rwxabt+]*", str(value)) for value in values)
    return name in WRITERS and (name, ast.unparse(node.args[0]) if node.args else "") not in NO_FILES


def test_the_core_writes_files_at_once_or_not_at_all():
    """Through `replacing`: after a full disk nothing cut off is there, and the sentence names the path."""
    for path in (ROOT / "pixelcnn_core").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        safe = {part for block in ast.walk(tree) if isinstance(block, ast.With)
                if any(ast.unparse(item).startswith("replacing(") for item in block.items)
                for part in ast.walk(block)}
        bare = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and writes(node)
                and node not in safe]
        assert not bare, f"{path}, lines {bare}"


def test_training_needs_neither_gradio_nor_faces_and_the_type_of_the_data_no_loader():
    """Of the type, no import circle: the models and the faces need it, and the loaders need the faces."""
    code = ("import sys, pixelcnn_core.data.image_data\n"
            "loaders = [name for name in sys.modules if name.startswith('pixelcnn_core.data.') and 'image_data' not in "
            "name]\nassert not loaders, loaders\n"
            "import pixelcnn_core.training.loop, pixelcnn_core.evaluation.likelihood\n"
            "bad = {'gradio', 'facenet_pytorch', 'torchvision'} & set(sys.modules)\n"
            "assert not bad, bad")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
