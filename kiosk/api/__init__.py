"""The JSON API for hospital systems and apps (``/api/v1``): queues, tickets, profiles, moves and events.

``routes`` needs the services of ``kiosk.web.handover``, which the guards read, and the app-level dependencies that
``kiosk.app`` lists.
"""

from kiosk.api.routes import routes

__all__ = ["routes"]
