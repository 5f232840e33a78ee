"""One look, light and dark: ink on warm paper, a brick red for what is happening now, fonts that the system has.

Colours and sizes that Gradio knows are set here; everything else is in `style.css`, here
and in the rooms of the tabs, which use the same variables.
"""

from pathlib import Path

from gradio.themes import Base, Color, Size

HERE = Path(__file__).parent
STYLES = [HERE / "style.css", *sorted(HERE.parent.glob("tabs/*/style.css"))]

BRICK = Color("#fdf3ef", "#fae3da", "#f4c5b4", "#eba288", "#e07f5f", "#cc5d3b", "#b1472a", "#8f3922", "#6f2e1d",
              "#4f2216", "#2c130c")
PAPER = Color("#fcfbf8", "#f5f3ed", "#e6e2d8", "#d2ccbe", "#a59e8f", "#79736a", "#5b564d", "#423e37", "#2a2823",
              "#1c1b18", "#131211")
RADIUS = Size("1px", "2px", "3px", "4px", "5px", "6px", "8px")

SANS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Noto Sans", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace"]


def notebook_theme() -> Base:
    """The theme for `launch(theme=...)`."""
    theme = Base(primary_hue=BRICK, secondary_hue=PAPER, neutral_hue=PAPER, radius_size=RADIUS, font=SANS,
                 font_mono=MONO)
    theme.name = "notebook"
    return theme.set(
        body_background_fill="#fcfbf8", body_background_fill_dark="#171614",
        body_text_color="#23211d", body_text_color_dark="#e9e5dc",
        body_text_color_subdued="#625d53", body_text_color_subdued_dark="#aaa395",
        background_fill_primary="#fcfbf8", background_fill_primary_dark="#171614",
        background_fill_secondary="#f5f3ed", background_fill_secondary_dark="#201e1b",
        block_background_fill="transparent", block_background_fill_dark="transparent",
        block_border_width="0px", block_border_width_dark="0px", block_padding="0px", block_shadow="none",
        block_label_text_color="*body_text_color", block_label_text_color_dark="*body_text_color",
        block_title_text_color="*body_text_color", block_title_text_color_dark="*body_text_color",
        block_title_text_weight="600", block_info_text_color="*body_text_color_subdued",
        block_info_text_color_dark="*body_text_color_subdued",
        border_color_primary="#e6e2d8", border_color_primary_dark="#35322d",
        input_background_fill="#ffffff", input_background_fill_dark="#1f1d1a",
        input_border_color="#cfc9bb", input_border_color_dark="#4a463f", input_border_width="1px",
        link_text_color="#9c3d23", link_text_color_dark="#eba288", link_text_color_hover="#6f2e1d",
        link_text_color_hover_dark="#f4c5b4", link_text_color_visited="#9c3d23", link_text_color_visited_dark="#eba288",
        button_primary_background_fill="#b1472a", button_primary_background_fill_dark="#cc5d3b",
        button_primary_background_fill_hover="#8f3922", button_primary_background_fill_hover_dark="#e07f5f",
        button_primary_text_color="#ffffff", button_primary_text_color_dark="#1a0d08",
        button_secondary_background_fill="#ffffff", button_secondary_background_fill_dark="#24221e",
        button_secondary_background_fill_hover="#f5f3ed", button_secondary_background_fill_hover_dark="#302d28",
        button_secondary_border_color="#cfc9bb", button_secondary_border_color_dark="#4a463f",
        button_border_width="1px", button_large_text_weight="600", button_large_text_size="*text_md",
        button_large_padding="9px 14px", button_transition="background-color .15s",
        checkbox_background_color_selected="#b1472a", checkbox_background_color_selected_dark="#cc5d3b",
        checkbox_border_color_selected="#b1472a", checkbox_border_color_selected_dark="#cc5d3b",
        checkbox_label_background_fill="#ffffff", checkbox_label_background_fill_dark="#1f1d1a",
        checkbox_label_background_fill_selected="#fae3da", checkbox_label_background_fill_selected_dark="#4f2216",
        checkbox_label_border_color="#cfc9bb", checkbox_label_border_color_dark="#4a463f",
        checkbox_label_text_color_selected="#4f2216", checkbox_label_text_color_selected_dark="#fae3da",
        slider_color="#b1472a", slider_color_dark="#cc5d3b",
        error_background_fill="#fdf3ef", error_background_fill_dark="#2c130c",
    )
