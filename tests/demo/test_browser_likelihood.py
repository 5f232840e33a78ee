"""The Likelihood tab in a real browser: figures follow the image, pixels tell their bits, a file goes out and in."""

from test_browser_faces import sources, wait_for_text

from demo.kit.pictures import bundled
from demo.tabs.likelihood.service import LikelihoodService


def open_tab(visit, query: str = "", **context):
    page = visit(**context).open(f"?tab=likelihood{query}")
    page.locator("#likelihood-compress").wait_for(state="visible")
    return page


def test_it_opens_with_all_its_figures(visit, service):
    page = open_tab(visit)
    likelihood = LikelihoodService(service)
    image = likelihood.fit(bundled("cat"))
    reading, costs = likelihood.read(image), likelihood.costs(bundled("cat"))
    wait_for_text(page, "#likelihood-status", f"{reading.bits_per_dim:.2f} bits per dimension")
    words = page.inner_text("#likelihood-family")
    assert len(sources(page, "#likelihood-family")) == 5 and all(f"{cost:.2f}" in words for cost in costs)
    assert f"{reading.sizes['PNG']:,} bytes" in page.inner_text("#likelihood-sizes")
    assert "%" in page.inner_text("#likelihood-classes")


def test_the_pixel_under_the_pointer_tells_its_bits(visit, service):
    page = open_tab(visit)
    bits = LikelihoodService(service).read(LikelihoodService(service).fit(bundled("cat"))).bits
    box = page.locator("#likelihood-heat canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 2.5 / 16, box["y"] + box["height"] * 3.5 / 16)
    wait_for_text(page, "#likelihood-heat output", f"{bits[3, 2]:.2f}".rstrip("0").rstrip(".") + " bits")


def test_another_image_changes_the_numbers_and_the_address(visit, service):
    visited = visit()
    page = visited.open("?tab=likelihood")
    page.locator("#likelihood-variant").get_by_label("its mean colour").check()
    likelihood = LikelihoodService(service)
    flat = likelihood.read(likelihood.variant(bundled("cat"), "its mean colour"))
    wait_for_text(page, "#likelihood-status", f"{flat.bits.sum():,.0f} bits")
    page.wait_for_function("location.search.includes('likelihood.image=its+mean+colour')")
    assert page.locator("#likelihood-family .chosen figcaption").inner_text().startswith("its mean colour")


def test_an_address_restores_the_image(visit, service):
    page = open_tab(visit, "&likelihood.image=a+scanned+digit&likelihood.picture=rocket")
    likelihood = LikelihoodService(service)
    reading = likelihood.read(likelihood.variant(bundled("cat"), "a scanned digit"))
    wait_for_text(page, "#likelihood-status", f"{reading.bits.sum():,.0f} bits")
    costs = likelihood.costs(bundled("rocket"))
    wait_for_text(page, "#likelihood-family", f"{costs[0]:.2f}")


def test_a_file_goes_out_and_comes_back(visit, tmp_path):
    page = open_tab(visit)
    page.click("#likelihood-compress")
    wait_for_text(page, "#likelihood-coded", "of header and checksums", 60)
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


def test_it_fits_a_phone(visit):
    page = open_tab(visit, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#likelihood-heat canvas").bounding_box()["width"] >= 250
