"""What the state's review reads: one month, and the months before it, of the whole service, a district or a facility.

Only sums are read. The hours of a district and the rows behind the incentive of one facility are read for one month.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from kiosk.archive import queries
from kiosk.archive.pillars import Pillar, newest_pillars
from kiosk.archive.positions import Positions, positions
from kiosk.archive.queries import ArchivedFacility, Incentive, grouped
from kiosk.archive.schema import (
    ACK_COLUMNS,
    PRIORITY,
    SOURCES,
    WAIT_COLUMNS,
    daily_sums,
    facilities,
    hourly_sums,
    imported_totals,
    incentive_counts,
    monthly_sums,
    state_sums,
)
from kiosk.archive.sums import Sums

BY_SOURCE: Final = ("tokens", *(f"source_{source}" for source in SOURCES))
FIGURES: Final = (*BY_SOURCE, "people_month", "people_state", "people_unknown", *WAIT_COLUMNS, *ACK_COLUMNS)
OF_MONTHS: Final = (*FIGURES, *PRIORITY)
MONTHS: Final = 13
"""Months of the trend: a year, and the same month a year before."""
FACILITIES_SHOWN: Final = 25
"""Facilities of one page, the most tokens first."""
NAMES_SHOWN: Final = 40
"""Facilities listed by name for each word of ``LIVE``; a file has all."""
LIVE_DAYS: Final = 7
"""A facility without a token for so many days is silent."""
EARLIEST: Final = date(2000, 1, 1)
FAR_DAYS: Final = 2
"""Today and yesterday: a place that was set right yesterday goes from the list by itself."""
LIVE: Final = ("today", "week", "silent", "never")
"""How lately a facility gave a number."""


class Scope(Struct, frozen=True, kw_only=True):
    """What is reviewed: one facility, one district, or (both empty) the whole service."""

    hip_id: str = ""
    district: str = ""


class Numbers(Struct, frozen=True, kw_only=True):
    """The big numbers and the tables of one scope and month."""

    ours: int
    """Tokens of this service, ever."""
    imported: int
    """Tokens of the time before, as imported."""
    today: Sums
    by_month: dict[date, Sums]
    imported_by_month: dict[date, int]
    by_hour: dict[int, Sums]
    """Of the month."""
    incentive: Incentive | None
    """Of the month; None: not counted yet."""


class District(Struct, frozen=True, kw_only=True):
    """One district and month. The name is empty for facilities without a district."""

    name: str
    live: dict[str, int]
    """A word of ``LIVE`` -> facilities."""
    sums: Sums


class FacilityMonth(Struct, frozen=True, kw_only=True):
    """One facility and month."""

    facility: ArchivedFacility
    sums: Sums
    imported: int
    incentive: Incentive | None
    """None: not counted yet."""


class ReviewFacts(Struct, frozen=True, kw_only=True):
    """Everything that the page shows."""

    numbers: Numbers
    pillars: dict[str, Pillar]
    districts: list[District]
    """One for a review of a district, none for that of a facility."""
    names: dict[str, list[ArchivedFacility]]
    """A word of ``LIVE`` -> the first facilities."""
    facilities: list[FacilityMonth]
    """One page of them."""
    district_names: list[str]
    far: list[tuple[ArchivedFacility, Positions]]
    """Where nearly every phone was far away in the last ``FAR_DAYS``, the most phones first."""


def review_facts(connection: Connection, today: date, month: date, scope: Scope, page: int) -> ReviewFacts:
    """The page of a scope. ``page`` counts from 1."""
    found = [] if scope.hip_id else districts(connection, today, month, name=scope.district)
    return ReviewFacts(
        numbers=numbers(connection, today, month, scope),
        pillars=newest_pillars(connection, today) if _is_whole(scope) else {},
        districts=found,
        names=_names(connection, today, scope),
        facilities=[] if scope.hip_id else facility_months(
            connection, month, district=scope.district, first=(page - 1) * FACILITIES_SHOWN, limit=FACILITIES_SHOWN
        ),
        district_names=district_names(connection),
        far=far_facilities(connection, today, scope),
    )  # fmt: skip


def far_facilities(connection: Connection, today: date, scope: Scope) -> list[tuple[ArchivedFacility, Positions]]:
    """Facilities where nearly every phone was far away: they have the coordinates of another place."""
    found = positions(connection, today - timedelta(days=FAR_DAYS - 1), today, hip_id=scope.hip_id)
    far = {hip: one for hip, one in found.items() if one.nearly_all_far}
    if not far:
        return []
    query = sa.select(*_facility_columns()).where(facilities.c.hip_id.in_(list(far)))
    if scope.district:
        query = query.where(facilities.c.district == scope.district)
    listed = [(one, far[one.hip_id]) for one in _facilities(connection, query)]
    return sorted(listed, key=lambda pair: (-pair[1].all_far, pair[0].hip_id))


def _names(connection: Connection, today: date, scope: Scope) -> dict[str, list[ArchivedFacility]]:
    if scope.hip_id:
        return {}
    listed = {
        word: live_facilities(connection, today, word, district=scope.district, limit=NAMES_SHOWN) for word in LIVE
    }
    return {word: found for word, found in listed.items() if found}


def numbers(connection: Connection, today: date, month: date, scope: Scope) -> Numbers:
    """The numbers of a scope. ``month`` is the first day of one."""
    last = _last_of(month)
    imports = _imported_by_month(connection, scope)
    return Numbers(
        ours=_so_far(connection, today, scope),
        imported=sum(imports.values()),
        today=_today(connection, today, scope),
        by_month=_by_month(connection, months_until(month)[0], month, scope),
        imported_by_month=imports,
        by_hour=_by_hour(connection, month, last, scope),
        incentive=_incentive(connection, month, scope),
    )


def months_until(month: date) -> list[date]:
    """The months of a trend that ends with this one."""
    found = [month]
    while len(found) < MONTHS:
        found.insert(0, (found[0] - timedelta(days=1)).replace(day=1))
    return found


def districts(connection: Connection, today: date, month: date, *, name: str = "") -> list[District]:
    """Every district with its facilities and its month, by name; or the one that is named."""
    live = _live_by_district(connection, today, name)
    columns = [sa.func.sum(monthly_sums.c[column]) for column in FIGURES]
    if name:
        where = [monthly_sums.c.month == month, monthly_sums.c.hip_id.in_(_hips(Scope(district=name)))]
        sums = {name: grouped(connection, monthly_sums, (), where, FIGURES).get((), Sums())}
    else:
        joined = monthly_sums.outerjoin(facilities, facilities.c.hip_id == monthly_sums.c.hip_id)
        district = sa.func.coalesce(facilities.c.district, "")
        query = sa.select(district, *columns).select_from(joined).where(monthly_sums.c.month == month)
        found = connection.execute(query.group_by(district))
        sums = {row[0]: _sums(FIGURES, row[1:]) for row in found}
    return [
        District(name=one, live=live.get(one) or dict.fromkeys(LIVE, 0), sums=sums.get(one, Sums()))
        for one in sorted({*live, *sums})
        if one in live or sums[one]
    ]


def facility_months(
    connection: Connection, month: date, *, district: str = "", first: int = 0, limit: int | None
) -> list[FacilityMonth]:
    """Facilities and their month, the most tokens first; from this place on, at most so many."""
    tokens = _tokens_of(month)
    query = (
        sa.select(*_facility_columns())
        .select_from(facilities.outerjoin(tokens, tokens.c.hip_id == facilities.c.hip_id))
        .order_by(sa.func.coalesce(tokens.c.tokens, 0).desc(), facilities.c.hip_id)
    )
    if district:
        query = query.where(facilities.c.district == district)
    found = _facilities(connection, query.offset(first).limit(limit))
    # A short list of ids is faster than all facilities; a long one is slower.
    hips = [one.hip_id for one in found] if limit is not None else []
    return _months_of(connection, month, found, hips)


def known_facility(connection: Connection, hip_id: str) -> ArchivedFacility | None:
    """One facility, as the registry named it last."""
    return next(
        iter(_facilities(connection, sa.select(*_facility_columns()).where(facilities.c.hip_id == hip_id))), None
    )


def district_names(connection: Connection) -> list[str]:
    """All districts that have facilities."""
    column = facilities.c.district
    return list(connection.execute(sa.select(column).distinct().where(column != "").order_by(column)).scalars())


def live_facilities(
    connection: Connection, today: date, word: str, *, district: str = "", limit: int | None = None
) -> list[ArchivedFacility]:
    """The facilities of one word of ``LIVE``, the latest first, then by district and name."""
    last = facilities.c.last_day
    order = (last.desc(), facilities.c.district, facilities.c.name, facilities.c.hip_id)
    query = sa.select(*_facility_columns()).where(_is_live(today)[word]).order_by(*order)
    if district:
        query = query.where(facilities.c.district == district)
    return _facilities(connection, query.limit(limit))


def _is_live(today: date) -> dict[str, Any]:
    last, since = facilities.c.last_day, today - timedelta(days=LIVE_DAYS - 1)
    return {
        "today": last >= today,
        "week": sa.and_(last < today, last >= since),
        "silent": last < since,
        "never": last.is_(None),
    }


def _live_by_district(connection: Connection, today: date, name: str) -> dict[str, dict[str, int]]:
    counts = [sa.func.count().filter(where) for where in _is_live(today).values()]
    query = sa.select(facilities.c.district, *counts).group_by(facilities.c.district)
    if name:
        query = query.where(facilities.c.district == name)
    return {row[0]: dict(zip(LIVE, row[1:], strict=True)) for row in connection.execute(query)}


def _facilities(connection: Connection, query: Any) -> list[ArchivedFacility]:
    return [ArchivedFacility(**row) for row in connection.execute(query).mappings()]


def _facility_columns() -> list[Any]:
    return [facilities.c[name] for name in ArchivedFacility.__struct_fields__]


def _tokens_of(month: date) -> Any:
    """HIP id and tokens of a month."""
    key = monthly_sums.c
    tokens = sa.func.sum(key.tokens).label("tokens")
    return sa.select(key.hip_id, tokens).where(key.month == month).group_by(key.hip_id).subquery()


def _months_of(
    connection: Connection, month: date, found: Sequence[ArchivedFacility], hips: Sequence[str]
) -> list[FacilityMonth]:
    where = [monthly_sums.c.month == month, *([monthly_sums.c.hip_id.in_(hips)] if hips else [])]
    sums = {key[0]: value for key, value in grouped(connection, monthly_sums, ("hip_id",), where, FIGURES).items()}
    imports = queries.imported_by_facility(connection, month, _last_of(month))
    counted = _counted(connection, month, hips)
    return [
        FacilityMonth(
            facility=one, sums=sums.get(one.hip_id, Sums()), imported=imports.get(one.hip_id, 0),
            incentive=counted.get(one.hip_id) or (None if one.hip_id in sums else Incentive(shares=0, counted=0)),
        )
        for one in found
    ]  # fmt: skip


def _counted(connection: Connection, month: date, hips: Sequence[str]) -> dict[str, Incentive]:
    key = incentive_counts.c
    query = sa.select(key.hip_id, key.shares, key.counted).where(key.month == month)
    found = connection.execute(query.where(key.hip_id.in_(hips)) if hips else query)
    return {hip_id: Incentive(shares=shares, counted=counted) for hip_id, shares, counted in found}


def _incentive(connection: Connection, month: date, scope: Scope) -> Incentive | None:
    """From what was counted; of one facility from its rows, if they have changed since."""
    if scope.hip_id:
        if (stored := _stored_count(connection, month, scope.hip_id)) is not None:
            return stored
        found = queries.incentives(connection, month, hip_id=scope.hip_id)
        return found.get(scope.hip_id) or Incentive(shares=0, counted=0)
    key = incentive_counts.c
    query = sa.select(sa.func.sum(key.shares), sa.func.sum(key.counted)).where(key.month == month)
    if scope.district:
        query = query.where(key.hip_id.in_(_hips(scope)))
    shares, counted = connection.execute(query).one()
    return None if shares is None else Incentive(shares=int(shares), counted=int(counted))


def _stored_count(connection: Connection, month: date, hip_id: str) -> Incentive | None:
    """None unless the month's sums are those for which it was counted (``incentive.changed_counts``)."""
    key = incentive_counts.c
    where = [monthly_sums.c.month == month, monthly_sums.c.hip_id == hip_id]
    now = grouped(connection, monthly_sums, (), where, ("tokens", "acks_delivered")).get((), Sums())
    same = (key.tokens == now["tokens"], key.acks_delivered == now["acks_delivered"])
    query = sa.select(key.shares, key.counted).where(key.month == month, key.hip_id == hip_id, *same)
    found = connection.execute(query).first()
    return Incentive(shares=found.shares, counted=found.counted) if found else None


def _hips(scope: Scope) -> Any:
    """The facilities of a district or of the one facility, as a list of a query."""
    if scope.hip_id:
        return [scope.hip_id]
    return sa.select(facilities.c.hip_id).where(facilities.c.district == scope.district)


def _is_whole(scope: Scope) -> bool:
    return not scope.hip_id and not scope.district


def _so_far(connection: Connection, today: date, scope: Scope) -> int:
    """Tokens of all days until today."""
    if _is_whole(scope):
        return queries.sums(connection, EARLIEST, today, columns=("tokens",))["tokens"]
    hips = _hips(scope)
    first = connection.execute(
        sa.select(sa.func.min(facilities.c.first_day)).where(facilities.c.hip_id.in_(hips))
    ).scalar()
    if first is None:
        return 0
    # Rows lie by month and then by facility: naming each month leads straight to them.
    months = [first.replace(day=1)]
    while months[-1] < today.replace(day=1):
        months.append(queries.next_month(months[-1]))
    where = [monthly_sums.c.month.in_(months), monthly_sums.c.hip_id.in_(hips)]
    return grouped(connection, monthly_sums, (), where, ("tokens",)).get((), Sums())["tokens"]


def _today(connection: Connection, today: date, scope: Scope) -> Sums:
    if _is_whole(scope):
        return queries.sums(connection, today, today, columns=BY_SOURCE)
    where = [daily_sums.c.service_day == today, daily_sums.c.hip_id.in_(_hips(scope))]
    return grouped(connection, daily_sums, (), where, BY_SOURCE).get((), Sums())


def _by_month(connection: Connection, first: date, month: date, scope: Scope) -> dict[date, Sums]:
    if not _is_whole(scope):
        where = [monthly_sums.c.month.in_(months_until(month)), monthly_sums.c.hip_id.in_(_hips(scope))]
        found = grouped(connection, monthly_sums, ("month",), where, OF_MONTHS)
        return {key[0]: value for key, value in found.items()}
    by_month: dict[date, Sums] = {}
    for day, sums in queries.sums_by_day(connection, first, _last_of(month), columns=OF_MONTHS).items():
        by_month.setdefault(day.replace(day=1), Sums()).update(sums)
    return by_month


def _by_hour(connection: Connection, month: date, last: date, scope: Scope) -> dict[int, Sums]:
    if _is_whole(scope):
        where = [state_sums.c.service_day.between(month, last)]
        found = grouped(connection, state_sums, ("hour",), where, (*BY_SOURCE, *WAIT_COLUMNS))
    else:
        where = [hourly_sums.c.service_day.between(month, last), hourly_sums.c.hip_id.in_(_hips(scope))]
        found = grouped(connection, hourly_sums, ("hour",), where, (*BY_SOURCE, *WAIT_COLUMNS))
    return {key[0]: value for key, value in found.items()}


def _imported_by_month(connection: Connection, scope: Scope) -> dict[date, int]:
    column = imported_totals.c.day
    query = sa.select(column, sa.func.sum(imported_totals.c.tokens)).group_by(column)
    if not _is_whole(scope):
        query = query.where(imported_totals.c.hip_id.in_(_hips(scope)))
    by_month: dict[date, int] = {}
    for day, tokens in connection.execute(query):
        by_month[day.replace(day=1)] = by_month.get(day.replace(day=1), 0) + int(tokens)
    return by_month


def _last_of(month: date) -> date:
    return queries.next_month(month) - timedelta(days=1)


def _sums(columns: Sequence[str], numbers_of: Sequence[Any]) -> Sums:
    return Sums({name: int(number) for name, number in zip(columns, numbers_of, strict=True) if number})


def all_live(facts: Sequence[District]) -> Mapping[str, int]:
    """A word of ``LIVE`` -> facilities of all these districts."""
    return {word: sum(one.live.get(word, 0) for one in facts) for word in LIVE}
