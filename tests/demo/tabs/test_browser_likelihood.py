"""The Likelihood tab in a real browser: figures follow the picture, both canvases tell the same pixel, a file goes out
and comes back."""

import pytest
from browser_steps import sources, wait_for_text

from demo.kit.pictures import bundled
from demo.tabs.likelihood.service import LikelihoodService


def open_tab(visitor, query: str = ""):
    page = visitor.open(f"?tab=likelihood{query}")
    page.locator("#likelihood-compress").wait_for(state="visible")
    return page


def needs(reading) -> str:
    return f"This one: {reading.bits.sum() / 8:,.0f} bytes"


def test_it_opens_with_all_its_figures(kept, service):
    page = kept(open_tab)
    likelihood = LikelihoodService(service)
    image = likelihood.fit(bundled("cat"))
    reading, costs = likelihood.read(image), likelihood.costs(bundled("cat"))
    wait_for_text(page, "#likelihood-headline", "A picture that the network expects makes a small file.")
    wait_for_text(page, "#likelihood-headline", needs(reading))
    wait_for_text(page, "#likelihood-status", f"{reading.bits_per_dim:.2f} for each")
    if page.locator(".answer-button").is_visible():
        assert f"{costs[1]:.2f}" not in page.inner_text("#likelihood-family"), "a guess comes first"
        page.click(".answer-button")
    wait_for_text(page, "#likelihood-family", "The likeliest is")
    words = page.inner_text("#likelihood-family")
    assert len(sources(page, "#likelihood-family")) == 5 and all(f"{cost:.2f}" in words for cost in costs)
    assert f"{reading.sizes['PNG']:,} bytes" in page.inner_text("#likelihood-sizes")
    assert "bits less than told" in page.inner_text("#likelihood-classes")
    row, column = divmod(int(reading.bits.argmax()), image.shape[1])
    for canvas in ("heat", "image"):  # the most surprising pixel is framed, and its bits stand there
        said = page.inner_text(f"#likelihood-{canvas} output")
        assert said.startswith(f"row {row}, column {column} ·") and said.endswith(" bits")


def test_both_canvases_tell_the_bits_and_the_colour_of_the_pixel_under_the_pointer(kept, service):
    page = kept(open_tab)
    image = LikelihoodService(service).fit(bundled("cat"))
    bits = LikelihoodService(service).read(image).bits
    opening = "row {}, column {} ·".format(*divmod(int(bits.argmax()), image.shape[1]))
    r, g, b = image[3, 2]
    for canvas in ("heat", "image"):
        page.mouse.move(2, 2)
        wait_for_text(page, "#likelihood-heat output", opening)
        pointed = page.locator(f"#likelihood-{canvas} canvas")
        width, height = pointed.evaluate("one => [one.clientWidth, one.clientHeight]")
        before = page.eval_on_selector_all(".likelihood-maps canvas", "all => all.map(one => one.toDataURL())")
        pointed.hover(position={"x": width * 2.5 / 16, "y": height * 3.5 / 16})  # once the page has settled
        said = f"row 3, column 2 · R {r}  G {g}  B {b} · {bits[3, 2]:.2f}".rstrip("0").rstrip(".") + " bits"
        for other in ("heat", "image"):
            page.wait_for_function("([place, text]) => document.querySelector(place).textContent === text",
                                   arg=[f"#likelihood-{other} output", said])
        after = page.eval_on_selector_all(".likelihood-maps canvas", "all => all.map(one => one.toDataURL())")
        assert all(one != other for one, other in zip(before, after)), "framed in both"


def test_another_case_changes_the_numbers_and_the_address(visit, service):
    page = open_tab(visit())
    assert not page.locator(".guessed:visible").count()
    page.get_by_role("button", name="its mean colour").click()
    likelihood = LikelihoodService(service)
    flat = likelihood.read(likelihood.variant(bundled("cat"), "its mean colour"))
    wait_for_text(page, "#likelihood-status", f"{flat.bits.sum():,.0f} bits")
    page.wait_for_function("location.search.includes('likelihood.image=its+mean+colour')")
    assert page.inner_text("#likelihood-family [aria-pressed=true]").startswith("its mean colour")
    costs = likelihood.costs(bundled("cat"))
    (judged,) = page.locator(".guessed:visible").all_inner_texts()
    assert judged.startswith("Right." if costs[2] == min(costs) else "Not this one.") and "its mean colour" in judged
    page.locator("#likelihood-picture").get_by_label("rocket").check()
    page.wait_for_function("!document.querySelector('#likelihood-family[class*=guess-]')")
    rocket = likelihood.read(likelihood.fit(bundled("rocket")))
    wait_for_text(page, "#likelihood-headline", needs(rocket))  # the chosen picture, and no other case of it


@pytest.mark.slow
def test_picture_map_and_button_are_on_the_first_screen(visit):
    for size in ((1280, 900), (390, 844)):
        page = open_tab(visit(viewport={"width": size[0], "height": size[1]}))
        boxes = [page.locator(place).bounding_box() for place in
                 ("#likelihood-image canvas", "#likelihood-heat canvas", "#likelihood-compress")]
        assert all(box["y"] + box["height"] <= size[1] for box in boxes), size
        assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["width"] == boxes[1]["width"] >= 140
        assert page.locator("#tab-likelihood button.primary:visible").count() == 1, "one main action"
        page.close()


@pytest.mark.slow
def test_an_address_restores_the_case(visit, service):
    page = open_tab(visit(), "&likelihood.image=a+scanned+digit&p=rocket")
    likelihood = LikelihoodService(service)
    reading = likelihood.read(likelihood.variant(bundled("cat"), "a scanned digit"))
    wait_for_text(page, "#likelihood-status", f"{reading.bits.sum():,.0f} bits")
    costs = likelihood.costs(bundled("rocket"))
    wait_for_text(page, "#likelihood-family", f"{costs[0]:.2f}")


def test_a_file_goes_out_and_comes_back(kept, tmp_path):
    page = kept(open_tab)
    page.click("#likelihood-compress")
    wait_for_text(page, "#likelihood-coded", "are the picture", 60)
    assert "Decoded again: identical, 0 pixels differ." in page.inner_text("#likelihood-coded")
    with page.expect_download() as download:
        page.click("#likelihood-coded a")
    assert download.value.suggested_filename == "image.pxcn"
    download.value.save_as(tmp_path / "image.pxcn")
    chooser = page.locator("#likelihood-decompress, input[type=file][accept='.pxcn']").locator(
        "xpath=descendant-or-self::input[@type='file'] | preceding-sibling::input[@type='file']").first
    chooser.set_input_files(tmp_path / "image.pxcn")
    wait_for_text(page, "#likelihood-decoded", "the checksum is right", 60)
    assert len(sources(page, "#likelihood-decoded")) == 1
    damaged = bytearray((tmp_path / "image.pxcn").read_bytes())
    damaged[50] ^= 1
    (tmp_path / "damaged.pxcn").write_bytes(damaged)
    chooser.set_input_files(tmp_path / "damaged.pxcn")
    wait_for_text(page, "#likelihood-decoded", "The file is damaged", 60)
    assert not sources(page, "#likelihood-decoded")
