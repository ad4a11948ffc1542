"""Ids of SNOMED CT, such as the code of a queue's department: their form."""

from typing import Final

_TIMES: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
"""Verhoeff's check digit: the multiplication of the group of a pentagon's symmetries."""
_TURNED: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def is_concept_id(code: str) -> bool:
    """Whether a text is an id of SNOMED CT: 6 to 18 digits, the last one a check digit."""
    if not (code.isascii() and code.isdigit() and 6 <= len(code) <= 18) or code[0] == "0":
        return False
    check = 0
    for place, digit in enumerate(reversed(code)):
        turned = int(digit)
        for _ in range(place % 8):
            turned = _TURNED[turned]
        check = _TIMES[check][turned]
    return check == 0
