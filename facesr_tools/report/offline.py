"""HTML pages that need no network: nothing runs in them and a browser fetches nothing for them."""

import re

from bs4 import BeautifulSoup, Tag

# What the browser enforces on top: inline styles and embedded data only, whatever the page says.
CONTENT_POLICY = "default-src 'none'; img-src data:; media-src data:; font-src data:; style-src 'unsafe-inline'"
_CSS_LOAD = re.compile(r"@import[^;]*;?|url\(\s*(?!['\"]?\s*(?:data:|#))[^)]*\)", re.IGNORECASE)


def make_offline(page: str) -> str:
    """Remove from an HTML page everything that runs, or that a browser would fetch; links to click stay."""
    soup = BeautifulSoup(page, "html.parser")
    remove_loading(soup)
    policy = soup.new_tag("meta", attrs={"http-equiv": "Content-Security-Policy", "content": CONTENT_POLICY})
    (soup.head or soup).insert(0, policy)
    return str(soup)


def remove_loading(soup: BeautifulSoup) -> None:
    """Remove from parsed HTML (a page or a piece of one), in place, what runs or loads; data URIs and links to click stay."""
    for tag in soup.find_all(["script", "link", "base", "object", "embed", "applet", "frame", "portal"]):
        tag.decompose()
    for tag in soup.find_all("meta", attrs={"http-equiv": True}):
        tag.decompose()
    for tag in soup.find_all(True):
        for name in list(tag.attrs):
            if name.startswith("on") or name in ("srcset", "ping", "background", "poster", "longdesc"):
                del tag[name]
        for name in ("src", "href", "xlink:href"):
            if _fetches(tag, name):
                del tag[name]
                if tag.name == "img":
                    tag.replace_with(f"[{tag.get('alt') or 'picture on the web'}]")
        if isinstance(tag.get("style"), str):
            tag["style"] = _CSS_LOAD.sub("none", str(tag["style"]))
    for tag in soup.find_all("style"):
        tag.string = _CSS_LOAD.sub("none", tag.get_text())


def _fetches(tag: Tag, attribute: str) -> bool:
    """Whether the browser loads or runs what this attribute names: not for links to click, data URIs and #fragments."""
    target = str(tag.get(attribute) or "").strip().lower()
    if target.startswith("javascript:"):
        return True
    return bool(target) and tag.name not in ("a", "area") and not target.startswith(("data:", "#"))
