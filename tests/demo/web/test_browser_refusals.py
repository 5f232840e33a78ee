"""A request that cannot be done: its sentence stands once on the page, in red, and scripts are told it too."""

import pytest
from gradio_client.exceptions import AppError

from demo.service.settings import UserError

EVERYWHERE = """sentence => [...document.querySelectorAll("p, .toast-body")].filter(
  node => node.getClientRects().length && node.innerText.includes(sentence)).map(node => node.className)"""


def test_what_cannot_be_drawn_is_said_once_in_red(visit, service, monkeypatch):
    def refuse(settings):
        raise UserError("This cannot be drawn.")

    monkeypatch.setattr(service, "stream", refuse)
    page = visit().open("?tab=classes")
    page.click("#generate")
    said = page.locator("#status p.error[role=alert]")
    said.wait_for()
    page.wait_for_function("!document.querySelector('#generate').disabled")
    page.wait_for_timeout(500)  # a toast would be there by now
    assert page.evaluate(EVERYWHERE, said.inner_text()) == ["status error"]
    assert not page.locator(".toast-body").count()


def test_a_script_is_told_why(client, service):
    with pytest.raises(AppError, match="Choose at least one class"):
        client.predict(model="photos", classes=[], images=1, temperature=1, guidance=1, seed=1, same_noise=False,
                       api_name="/generate")
