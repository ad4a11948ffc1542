"""The page that a sign-in leads back to, where a session ended in the middle of work.

Only pages of the console that stand here are led to, and only for whom they are: whoever signs in next on a shared
computer may be somebody else.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from kiosk.accounts.outcomes import Member
from kiosk.accounts.sessions import EVERY_FACILITY
from kiosk.console.rooms import PATHS
from kiosk.web.path_prefix import url

LONGEST: Final = 300
"""Characters of an address with its query: a page's filters fit."""
_OF_CLERKS: Final = frozenset({"/console/counters", "/console/announcements", "/console/posters", "/console/account"})
_OF_THE_STATE: Final = frozenset({"/console/review", "/console/facility/copy"})
_OF_ADMINISTRATORS: Final = frozenset(PATHS.values())
_DESK: Final = re.compile(r"/console/at/[A-Za-z0-9_-]{1,16}")
_QUEUE: Final = re.compile(r"/console/admin/queues/[A-Za-z0-9_-]{1,32}")
_QUERY: Final = re.compile(r"[A-Za-z0-9_=&.,:%+-]*")


def page_before(method: str, path: str, query: str, referer: str) -> str:
    """Where somebody was who has to sign in; empty when that is no page of ours.

    A form is not sent again and a download would leave the sign-in standing: both lead to the page that has them.
    """
    here = f"{path}?{query}" if query else path
    if method == "GET" and _is_page(here):
        return here
    asked_from = urlsplit(referer[:LONGEST])
    path = asked_from.path.removeprefix(url(""))
    page = f"{path}?{asked_from.query}" if asked_from.query else path
    return page if method != "GET" and _is_page(page) else ""


def page_after(back: str, member: Member) -> str:
    """``back`` as it came with the form of the sign-in; empty when it is no page for this member of staff."""
    if not _is_page(back):
        return ""
    path = back.partition("?")[0]
    if path in _OF_CLERKS or _DESK.fullmatch(path):
        return back
    if member.role != "admin":
        return ""
    return back if path not in _OF_THE_STATE or member.facility == EVERY_FACILITY else ""


def _is_page(address: str) -> bool:
    path, _, query = address.partition("?")
    known = path in _OF_CLERKS | _OF_ADMINISTRATORS | _OF_THE_STATE or _DESK.fullmatch(path) or _QUEUE.fullmatch(path)
    return bool(known) and len(address) <= LONGEST and bool(_QUERY.fullmatch(query))
