"""What stands beside pictures."""

from demo.kit.panels import settings_line


def test_settings_are_a_line_and_a_long_seed_keeps_its_digits():
    settings = {"temperature": 1.0, "min_p": 0.05, "path": "linear", "seed": 2009321954}
    assert settings_line(settings) == "temperature 1 · min-p 0.05 · path linear · seed 2009321954"
