"""Addresses with a signed link are the public address and the page's path, with one slash between."""

from kiosk.web.link_urls import camera_url, ticket_url


def test_a_public_address_with_or_without_a_last_slash_gives_the_same_link() -> None:
    for public_url in ("https://opd.example.in", "https://opd.example.in/"):
        assert ticket_url(public_url, "Ab-_9") == "https://opd.example.in/t/Ab-_9"
        assert camera_url(public_url, "Ab-_9") == "https://opd.example.in/go/Ab-_9"
