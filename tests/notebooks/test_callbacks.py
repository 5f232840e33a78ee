"""The things to play with work: every control, moved to its ends, changes a picture in place."""


def test_every_control_changes_a_picture(executed):
    _, seen = executed
    assert seen["moved"], "nothing to play with"
    assert all(seen["moved"].values()), seen["moved"]
    assert seen["png"] and all(seen["png"])


def test_callbacks_are_plain_functions(executed):
    """Named change_..., so that a reader can find and call them."""
    _, seen = executed
    assert seen["callbacks"]
