"""The staff pages: sign in, the desk, walk-ins, the facility's administration.

``routes`` needs the services of ``kiosk.web.handover``, which guards read before any dependency exists, and the
app-level dependencies ``settings``, ``registry``, ``desk``, ``outbox``, ``check_in``, ``ticket_links`` and ``staff``.
"""

from kiosk.console.routes import routes

__all__ = ["routes"]
