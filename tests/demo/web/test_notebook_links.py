"""Every tab leads to notebooks that exist, by the Hub's page on a Space and by the file itself elsewhere."""

import gradio as gr
import pytest

from demo.web.notebook_links import EXPLAINED_BY, find_notebook, notebook_links, title


@pytest.mark.parametrize("number", sorted({number for numbers in EXPLAINED_BY.values() for number in numbers}))
def test_the_notebook_exists_and_has_a_heading(number):
    path = find_notebook(number)
    assert path is not None, f"no notebook {number}"
    assert title(path) and "#" not in title(path) and title(path) != path.stem


def made(tab: str) -> list:
    with gr.Blocks() as page:
        notebook_links(tab)
    return list(page.blocks.values())


def test_elsewhere_the_file_itself_is_offered(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    buttons = [block for block in made("classes") if isinstance(block, gr.DownloadButton)]
    assert len(buttons) == len(EXPLAINED_BY["classes"])
    assert not [block for block in made("about") if isinstance(block, gr.DownloadButton)]


def test_a_space_links_to_its_own_pages(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/pixelcnn")
    blocks = made("inside")
    assert not [block for block in blocks if isinstance(block, gr.DownloadButton)]
    text = "".join(str(block.value) for block in blocks if isinstance(block, gr.HTML))
    assert "https://huggingface.co/spaces/someone/pixelcnn/blob/main/notebooks/01_masked_convolutions.ipynb" in text
