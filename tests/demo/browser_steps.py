"""What a visitor waits for and sees, for the tests in a real browser."""

from demo.service.faces import EXAMPLES

EILEEN, GRACE = EXAMPLES.values()
PHOTO, ENDS = "#portraits-photo input[type=file]", "#interpolate-photo-{} input[type=file]"


def wait_for_text(page, place: str, text: str, seconds: float = 60) -> None:
    page.wait_for_function("([place, text]) => document.querySelector(place)?.innerText.includes(text)",
                           arg=[place, text], timeout=1000 * seconds)


def sources(page, place: str) -> list[str]:
    return page.eval_on_selector_all(f"{place} img", "images => images.map(image => image.src)")


def pixels(page, place: str) -> list[str]:
    """What pictures show, be they files or in the page; one that is being replaced is read again."""
    return page.evaluate("""async place => {
      const draw = image => {
        const canvas = Object.assign(document.createElement("canvas"),
                                     {width: image.naturalWidth, height: image.naturalHeight});
        canvas.getContext("2d").drawImage(image, 0, 0);
        return canvas.toDataURL();
      };
      for (const left of Array(50).keys()) {
        const images = [...document.querySelectorAll(place)];
        try { await Promise.all(images.map(image => image.decode())); return images.map(draw); }
        catch (error) { if (left === 49) throw error; await new Promise(again => setTimeout(again, 100)); }
      }
    }""", f"{place} img")


def canvases(page, place: str) -> list[str]:
    return page.eval_on_selector_all(f"{place} canvas", "all => all.map(canvas => canvas.toDataURL())")


def wait_for_change(page, place: str, before: list[str], of=sources) -> list[str]:
    kind = "img" if of is sources else "canvas"
    page.wait_for_function("""([place, before]) => JSON.stringify([...document.querySelectorAll(place)]
      .map(one => one.src || one.toDataURL())) !== JSON.stringify(before)""", arg=[f"{place} {kind}", before],
                           timeout=60_000)
    return of(page, place)


def idle(page, prefix: str) -> None:
    page.wait_for_function("prefix => !document.getElementById(prefix + 'generate').disabled", arg=prefix)


def type_seed(page, value: str, prefix: str = "") -> None:
    open_how(page, prefix)
    page.fill(f"#{prefix}seed input", value)


def open_how(page, prefix: str = "") -> None:
    """The fold "How it is drawn": what stands in it is on the page only once it is open."""
    field = page.locator(f"#{prefix}seed input")
    if not field.is_visible():
        page.locator(f"#{prefix}how button").first.click()
        field.wait_for()
        page.wait_for_timeout(500)  # Gradio sets a field that has just appeared once more
