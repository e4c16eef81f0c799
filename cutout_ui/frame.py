"""The look that all pages share: mark, logo, and the few rules of style that Streamlit lacks."""

import streamlit as st

# A postage stamp with a star in it. Drawn here, so that nothing is fetched from elsewhere.
MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect x="3" y="3" width="26" height="26" rx="3" fill="#10213f" stroke="#d9a441" '
    'stroke-width="2.6" stroke-dasharray="2.6 2.2"/>'
    '<path d="M16 7l2.1 6.9L25 16l-6.9 2.1L16 25l-2.1-6.9L7 16l6.9-2.1z" fill="#ffe3a1"/></svg>'
)

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 148 32">'
    '<rect x="3" y="3" width="26" height="26" rx="3" fill="#10213f" stroke="#d9a441" '
    'stroke-width="2.6" stroke-dasharray="2.6 2.2"/>'
    '<path d="M16 7l2.1 6.9L25 16l-6.9 2.1L16 25l-2.1-6.9L7 16l6.9-2.1z" fill="#ffe3a1"/>'
    '<text x="38" y="22.5" font-family="Source Sans, Source Sans Pro, sans-serif" '
    'font-size="20" font-weight="700" fill="#c08a1e">Skystamp</text></svg>'
)

_STYLE = """
<style>
.block-container { padding-top: 4.5rem; max-width: 1240px; }
/* The source of the data stays in sight, in the header beside the menu. */
.st-key-source_popover { position: fixed; top: 0.6rem; right: 4rem; width: auto; z-index: 999991; }
@media (max-width: 640px) { .st-key-source_popover { right: 0.75rem; } }
</style>
"""


def page_style() -> None:
    """Add the few rules of style that Streamlit's settings cannot say."""
    st.html(_STYLE)
