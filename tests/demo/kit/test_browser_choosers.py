"""Every button, every picture to choose and every upload of every tab, in a real browser: the picture changes."""

import pytest
from PIL import Image

from demo.web.page import TABS

pytestmark = pytest.mark.slow

# Everything drawn in the open tab; the page must answer to a click with another one of these.
PICTURES = """() => {
  const tab = [...document.querySelectorAll("[role=tabpanel]")].find(panel => panel.offsetParent);
  const shown = selector => [...tab.querySelectorAll(selector)].filter(node => node.getClientRects().length);
  return [...shown("img").map(image => image.src), ...shown("canvas").map(canvas => canvas.toDataURL()),
          ...shown("svg[viewBox]:not(button svg)").map(svg => svg.outerHTML)].join("|");
}"""
# They change words or settings, not pictures, or only once something else was done; their own tests press them.
BUTTON = "button.sm:visible, button.lg:visible, .player button:visible"
QUIET = {"Stop", "One of yours", "Your own photo", "Copy link", "All classes", "None", "Pack it into a file",
         "Unpack a file", "Back to the examples", "lower third", "square in the middle",
         "Draw the rest again, with the same noise"}
STILL = {"about", "chain", "story"}  # the made-up models have no chain; `test_browser_story.py` presses every step


@pytest.fixture
def photos(tmp_path) -> list:
    """Two pictures that differ, in which a face is found."""
    from demo.service.faces import EXAMPLES

    made = []
    for name, source in EXAMPLES.items():
        Image.open(source).convert("RGB").save(tmp_path / f"{name}.png")
        made.append(tmp_path / f"{name}.png")
    return made


def settle(page) -> str:
    """The pictures of the open tab once they have stayed the same for half a second."""
    before, same = page.evaluate(PICTURES), 0
    for _ in range(150):
        page.wait_for_timeout(100)
        now = page.evaluate(PICTURES)
        same = same + 1 if now == before else 0
        if same >= 6:
            break
        before = now
    return before


def changes(page, act, what: str) -> None:
    before = settle(page)
    act()
    try:
        page.wait_for_function(f"before => ({PICTURES})() !== before", arg=before, timeout=15_000)
    except Exception as error:
        raise AssertionError(f"{what}: the picture stays as it was") from error


@pytest.mark.parametrize("tab", [module for module in TABS if module.ID not in STILL], ids=lambda module: module.ID)
def test_everything_that_can_be_pressed_changes_the_picture(visit, service, photos, tab):
    service.row_seconds = 0.03
    visited = visit()
    page = visited.open(f"?tab={tab.ID}")
    panel = page.locator("[role=tabpanel]:visible").first
    panel.locator(BUTTON).first.wait_for()
    settle(page)

    for group in panel.locator("fieldset[id$=picture]:visible").all():
        for option in group.locator("label").all():
            if not option.locator("input").is_checked():
                changes(page, option.click, f"{tab.ID}: picture {option.inner_text()}")
    uploads = panel.locator("input[type=file]:not([accept*=pxcn])").count()
    for number in range(uploads):
        for photo in (photos, photos[::-1])[number % 2]:
            field = panel.locator("input[type=file]:not([accept*=pxcn])").nth(number)
            changes(page, lambda f=field, p=photo: f.set_input_files(p), f"{tab.ID}: upload {number}, {photo.name}")
    settle(page)
    names = [name.strip() for name in panel.locator(BUTTON).all_inner_texts()]
    skipped = {name for name in names if " · " in name or name.startswith("Download")}  # notebooks and files
    for k, name in enumerate(names):
        if not name or name in QUIET | skipped or "Model card" in name:
            continue
        button = panel.locator(BUTTON).nth(k)
        if panel.locator(BUTTON).all_inner_texts()[k : k + 1] == [name] and button.is_enabled():
            changes(page, button.click, f"{tab.ID}: button {name}")


def test_the_bar_of_a_running_request_can_be_seen_in_every_tab(visit):
    visited = visit()
    page = visited.open()
    for module in TABS:
        visited.open_tab(module.TITLE)
        heights = page.evaluate("""() => {
          const shown = [...document.querySelectorAll("[id$=status]")].filter(node => node.offsetParent);
          return shown.map(node => {
            node.innerHTML = '<p class="status">x</p><div class="bar"><span style="width:50%"></span></div>';
            return node.querySelector(".bar span").getBoundingClientRect().height;
          });
        }""")
        assert all(height >= 2 for height in heights), (module.ID, heights)
        assert heights or module.ID in STILL
