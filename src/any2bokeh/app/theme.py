"""How the studio looks, in Gradio's terms; the rest is in static/studio.css. Fonts are those of the system."""

from gradio.themes import Base, Color, Size
from gradio.themes.utils.fonts import Font

_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Helvetica", "Arial", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

# From the lightest to the darkest.
_AMBER = Color(
    *("#fdf6ea", "#f9e8cb", "#f3d39d", "#edbd6c", "#e8ab47", "#df9a2b"),
    *("#b87612", "#8f5a0a", "#6b4308", "#4a2e06", "#331f04"),
)
_GREY = Color(
    *("#fafaf8", "#f3f3f0", "#e6e6e2", "#d3d3ce", "#a3a39e", "#74746f"),
    *("#575753", "#3c3d3d", "#26282a", "#191b1d", "#111315"),
)
_TEXT = Size(xxs="10px", xs="11.5px", sm="12.5px", md="13.5px", lg="15px", xl="19px", xxl="24px", name="studio_text")
_SPACING = Size(xxs="1px", xs="2px", sm="4px", md="6px", lg="8px", xl="10px", xxl="16px", name="studio_spacing")
_RADIUS = Size(xxs="2px", xs="3px", sm="4px", md="6px", lg="8px", xl="10px", xxl="14px", name="studio_radius")


def studio_theme() -> Base:
    """Quiet greys, so that nothing competes with the picture; one warm accent."""
    theme = Base(
        primary_hue=_AMBER,
        secondary_hue=_AMBER,
        neutral_hue=_GREY,
        text_size=_TEXT,
        spacing_size=_SPACING,
        radius_size=_RADIUS,
        font=tuple(map(Font, _SANS)),
        font_mono=tuple(map(Font, _MONO)),
    )
    return theme.set(
        body_background_fill="#f3f3f0",
        body_background_fill_dark="#111315",
        body_text_color="#1c1d1f",
        body_text_color_dark="#e9e9e6",
        body_text_color_subdued="#5a5a56",
        body_text_color_subdued_dark="#a6a7a5",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#191b1d",
        background_fill_secondary="#f3f3f0",
        background_fill_secondary_dark="#212426",
        border_color_primary="#dcdcd7",
        border_color_primary_dark="#303336",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_shadow="none",
        block_shadow_dark="none",
        block_padding="6px 0",
        block_label_text_color="#3c3d3d",
        block_label_text_color_dark="#c9cac7",
        block_title_text_weight="550",
        block_title_text_size="13px",
        block_title_text_color="#2c2d2f",
        block_title_text_color_dark="#dcdcd9",
        block_info_text_color="#5a5a56",
        block_info_text_color_dark="#a6a7a5",
        block_info_text_size="12px",
        panel_background_fill="transparent",
        panel_background_fill_dark="transparent",
        panel_border_width="0px",
        input_background_fill="#ffffff",
        input_background_fill_dark="#212426",
        input_border_width="1px",
        input_border_color="#c4c4be",
        input_border_color_dark="#3d4144",
        input_border_color_focus="#b87612",
        input_border_color_focus_dark="#edbd6c",
        slider_color="#b87612",
        slider_color_dark="#df9a2b",
        button_primary_background_fill="#df9a2b",
        button_primary_background_fill_dark="#df9a2b",
        button_primary_background_fill_hover="#e8ab47",
        button_primary_background_fill_hover_dark="#e8ab47",
        button_primary_text_color="#1f1403",
        button_primary_text_color_dark="#1f1403",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_dark="#26292b",
        button_secondary_border_color="#c4c4be",
        button_secondary_border_color_dark="#3d4144",
        button_secondary_text_color="#1c1d1f",
        button_secondary_text_color_dark="#e9e9e6",
        checkbox_background_color_selected="#b87612",
        checkbox_background_color_selected_dark="#df9a2b",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        link_text_color="#8f5a0a",
        link_text_color_dark="#edbd6c",
    )
