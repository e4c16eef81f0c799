"""What the tests of the Zcut and the HAPCut page share: opening, fetching, reading the page."""

import json
import time
from typing import Any

from streamlit.testing.v1 import AppTest


def opened(app: AppTest, page: str, target: str) -> AppTest:
    """Open a page and type a target."""
    app.run()
    app.switch_page(f"{page}.py")
    app.run()
    app.text_input(key="target").set_value(target).run()
    assert not app.exception
    return app


def fetched(app: AppTest, page: str) -> AppTest:
    """Click Fetch, and run the page again until everything has come."""
    app.button(key=f"{page}_fetch_button").click().run()
    end = time.monotonic() + 60
    while app.session_state[f"{page}_fetch"].job.running and time.monotonic() < end:
        time.sleep(0.05)
    app.run()
    assert not app.exception
    return app


def text_of(app: AppTest) -> str:
    """Give all words of the page, without Markdown's escapes."""
    parts = [
        *app.title,
        *app.subheader,
        *app.markdown,
        *app.caption,
        *app.error,
        *app.info,
        *app.warning,
    ]
    return "\n".join(part.value for part in parts).replace("\\", "")


def buttons_of(app: AppTest) -> list[str]:
    return [button.label.replace("\\", "") for button in app.button]


def previews_of(app: AppTest) -> list[str]:
    """Give the text alternatives of the previews, in their order."""
    return [proto.alt for element in app.get("image") for proto in element.proto.imgs]


def downloads_of(app: AppTest) -> list[str]:
    return [element.proto.label for element in app.get("download_button")]


def viewer_of(app: AppTest, page: str) -> dict[str, Any]:
    """Give the header of what was sent to the viewer."""
    (element,) = app.get("bidi_component")
    block = element.proto.bytes
    length = int.from_bytes(block[:4], "little")
    assert page in element.proto.id
    return json.loads(block[4 : 4 + length])
