"""The pictures of the README, taken of a page that runs: `python app.py`, then `python -m demo.make_tour`.

Needs Playwright and Chromium: `pip install playwright`, `playwright install chromium`, or the system's own.
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ASSETS = Path(__file__).parent / "assets"
SCREEN = {"width": 1280, "height": 1090}
# of each tab the first visible element that is shown, and how much of its height
TAB = "[role=tabpanel]"
PARTS = {"story": (TAB, 800), "classes": ("#grid", 900), "chain": ("#chain-grid", 620), "inside": (TAB, 700),
         "interpolate": (TAB, 960), "complete": (TAB, 760), "likelihood": (TAB, 520)}


def show(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("button[role=tab]")
    page.wait_for_timeout(6000)  # canvases are drawn when they are seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="http://127.0.0.1:7860", help="of the running page")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SCREEN, reduced_motion="reduce")
        show(page, f"{options.address}/?tab=portraits")
        page.screenshot(path=ASSETS / "screenshot.png")
        for tab, (part, height) in PARTS.items():
            show(page, f"{options.address}/?tab={tab}")
            box = page.locator(part).locator("visible=true").first.bounding_box()
            path = ASSETS / "tour" / f"{tab}.png"
            page.screenshot(path=path, full_page=True, clip={**box, "height": min(height, box["height"])})
            print(path)
        browser.close()


if __name__ == "__main__":
    main()
