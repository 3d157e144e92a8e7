"""A piece of HTML that something else wrote (a notebook's output) made part of a page.

Nothing in it runs or loads from elsewhere, pictures become files with alternative texts, wide tables scroll in their own box.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from urllib.parse import unquote_to_bytes

from bs4 import BeautifulSoup, Tag
from markupsafe import Markup

from facesr_tools.book.assets import Assets
from facesr_tools.report.offline import remove_loading

NO_ALT = "Picture without a description"
SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/svg+xml": ".svg",
    "image/gif": ".gif",
    "image/webp": ".webp",
}
_ZOOM = 480  # pixels: a picture wider than this is small on a phone, and opens alone when it is touched
_DATA = re.compile(r"data:([\w/+.-]+)((?:;[\w=-]+)*?)(;base64)?,(.*)", re.DOTALL)


def clean(html: str, assets: Assets, alt: str = NO_ALT) -> Markup:
    """`html` as a piece of a page; `alt` describes pictures that have no alternative text of their own."""
    soup = BeautifulSoup(html, "html.parser")
    remove_loading(soup)
    for style in soup.find_all("style"):
        if ".output_html" in str(style):  # IPython's colours of programs; the site has its own, by day and by night
            style.decompose()
    for frame in soup.find_all("iframe", srcdoc=True):
        frame["src"] = assets.save(str(frame["srcdoc"]).encode(), ".html")
        frame["loading"] = "lazy"
        frame["title"] = frame.get("title") or "A page in the page"
        del frame["srcdoc"]
    for picture in soup.find_all("img"):
        picture["alt"] = str(picture.get("alt") or "").strip() or alt
        _to_file(picture, assets)
    for table in soup.find_all("table"):
        if not table.find_parent("table"):
            caption = table.find("caption")
            name = " ".join(caption.get_text().split()) if caption else "Table"
            table.wrap(soup.new_tag("div", attrs={"class": "scroll", "role": "group", "aria-label": name}))
    for tag in soup.find_all(id=True):
        if f"#{tag['id']}" not in html:
            del tag["id"]  # another output of the page may use the same
    return Markup(str(soup))


def _to_file(picture: Tag, assets: Assets) -> None:
    """Move a picture out of the page, so that pages load quickly and pictures when they are scrolled to."""
    found = _DATA.fullmatch(str(picture.get("src") or ""))
    if not found or found[1] not in SUFFIXES:
        return
    try:
        content = b64decode(found[4]) if found[3] else unquote_to_bytes(found[4])
    except Error:
        return
    picture["src"] = assets.save(content, SUFFIXES[found[1]])
    picture["loading"] = "lazy"
    if _number(picture.get("width")) > _ZOOM and not picture.find_parent("a"):
        picture.wrap(BeautifulSoup().new_tag("a", attrs={"class": "zoom", "href": str(picture["src"])}))


def _number(value: object) -> float:
    try:
        return float(str(value).removesuffix("px"))
    except ValueError:
        return 0.0
