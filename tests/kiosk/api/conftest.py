"""A hospital, and programs that call its API."""

import httpx
import pytest

from queueing.api_keys import Scope
from tests.kiosk.api.program import Program
from tests.kiosk.hospital import Hospital


@pytest.fixture
async def program(hospital: Hospital, visitor: httpx.AsyncClient) -> Program:
    """The hospital's own system, with every scope."""
    return await Program.of(hospital, visitor, *Scope)
