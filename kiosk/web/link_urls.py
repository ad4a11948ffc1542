"""Public addresses of pages that a signed link opens: what a QR shows."""


def ticket_url(public_url: str, link: str) -> str:
    """The page of one ticket."""
    return f"{public_url.rstrip('/')}/t/{link}"


def camera_url(public_url: str, link: str) -> str:
    """The form for a phone without an ABHA app."""
    return f"{public_url.rstrip('/')}/go/{link}"
