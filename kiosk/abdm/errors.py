"""How the gateway and we can fail each other. No text here repeats a patient's data."""


class GatewayError(Exception):
    """The gateway did not take what we sent."""


class GatewaySilent(GatewayError):
    """No usable answer: refused, cut, too slow or too large. Whether it took the message is unknown."""


class GatewayRefused(GatewayError):
    """The gateway answered with an error."""

    def __init__(self, status: int, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"the gateway answered {status} {code}".rstrip())
        self.status = status
        self.code = code
        """Trimmed: ``ABDM-1006``, ``900901``, or empty."""
        self.message = message
        """The gateway's own words, bounded. They may repeat what we sent: never store or log them."""
        self.retry_after_s = retry_after_s


class NoAccessToken(GatewayError):
    """The gateway gave us no access token, so nothing was sent."""


class GatewayAddressWrong(ValueError):
    """The gateway's address is neither https nor on this machine."""


class NotTheGateway(Exception):
    """The caller did not prove to be the gateway. The text is one word of ours, for counting."""


class KeysUnknown(Exception):
    """The gateway's keys were never learnt, so nobody can be believed or refused yet; asking again soon may help."""


class WrongMethod(Exception):
    """The gateway posts, and nothing else."""


class NoRequestId(Exception):
    """A message without a usable REQUEST-ID cannot be answered or told from its own repetition."""

    def __init__(self) -> None:
        super().__init__("the REQUEST-ID is missing, or longer than 100 printable characters")
