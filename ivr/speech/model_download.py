"""Models from the web."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import httpx

from ivr.domain.errors import BadInput, Unavailable
from ivr.speech.model_archive import MOST_BYTES, SPARE

SECONDS = 30.0
"""Without a byte, then it has failed."""
MOST_REDIRECTS = 5
_CHUNK = 1 << 18


def is_url(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def without_password(url: str) -> str:
    """The address without user, password and query, any of which may be a secret. Raises BadInput."""
    return str(_parsed(url).copy_with(userinfo=b"", query=None, fragment=None))


def file_name(url: str) -> str:
    """The last part of the path. Raises BadInput."""
    return _parsed(url).path.rstrip("/").rpartition("/")[2]


def _parsed(url: str) -> httpx.URL:
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL:
        raise BadInput("that is no address; give one like https://host/model.zip") from None
    if not found.host:
        raise BadInput("the address names no host; give one like https://host/model.zip")
    return found


def download(url: str, file: Path, progress: Callable[[int, int], None]) -> None:
    """Fetch what is there into the new `file`.

    Raises Unavailable when the server does not give it, BadInput when there is no room for it; OSError.
    """
    client = httpx.Client(follow_redirects=True, max_redirects=MOST_REDIRECTS, timeout=SECONDS)
    try:
        with client, client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
            agree(answer)
            _save(answer, file, progress)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(
            f"{without_password(url)} could not be fetched ({type(error).__name__}): "
            "check address and network, or fetch it by other means and install the file"
        ) from None


def agree(answer: httpx.Response) -> None:
    """Raises BadInput when the way here left https, Unavailable for another status than 200."""
    hops = [hop.url.scheme for hop in (*answer.history, answer)]
    if ("https", "http") in pairwise(hops):
        raise BadInput(
            "the server leads from https to http, where anybody may change it: give another address"
        )
    if answer.status_code != 200:
        raise Unavailable(f"the server answers {answer.status_code}: check the address")


def _save(answer: httpx.Response, file: Path, progress: Callable[[int, int], None]) -> None:
    free = shutil.disk_usage(file.parent).free - SPARE
    said = answer.headers.get("Content-Length", "")
    size = int(said) if said.isdecimal() else 0
    _room(size, free)
    got = 0
    with file.open("xb") as target:
        for chunk in answer.iter_raw(_CHUNK):
            got += len(chunk)
            _room(got, free)
            target.write(chunk)
            progress(got, size)


def _room(size: int, free: int) -> None:
    if size > MOST_BYTES:
        raise BadInput(f"it has more than {MOST_BYTES >> 20} MB, which no model has: check the address")
    if size > free:
        raise BadInput(f"it has {size >> 20} MB and {max(free, 0) >> 20} MB may be used: make room")
