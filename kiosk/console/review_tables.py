"""The tables and big numbers of the state's review, made of sums. Each table is a figure of the page and a CSV."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from kiosk.archive.pillars import Pillar
from kiosk.archive.positions import Positions
from kiosk.archive.queries import ArchivedFacility, Incentive
from kiosk.archive.review_queries import (
    LIVE,
    District,
    FacilityMonth,
    Numbers,
    ReviewFacts,
    Scope,
    all_live,
    months_until,
)
from kiosk.archive.sums import Sums, total
from kiosk.console import figure_messages, review_messages
from kiosk.console.figures import Cell, Column, Plot, Table, grouped
from kiosk.console.language import Sentences, tr
from kiosk.console.months import month_name, short_month_name
from kiosk.console.priority import counted

TEXT = Sentences(review_messages.COLUMNS)
TITLE = Sentences(review_messages.TITLES)
HINT = Sentences(review_messages.HINTS)
NOTE = Sentences(review_messages.NOTES)
TILE = Sentences(review_messages.TILES)
UNIT = Sentences(review_messages.UNITS)
SUMMARY = Sentences(review_messages.SUMMARY)
LIVE_WORDS = Sentences(review_messages.LIVE)
SOURCES = Sentences(figure_messages.SOURCES)
HALF, NINE = 0.5, 0.9
_BY_SOURCE: Final = tuple(figure_messages.SOURCES)


class Tile(Struct, frozen=True, kw_only=True):
    """One big number."""

    label: str
    value: Cell
    note: str = ""


class Shown(Struct, frozen=True, kw_only=True):
    """What is reviewed, and when."""

    scope: Scope
    today: date
    month: date

    @property
    def people_column(self) -> str:
        """The sum that counts people: in the whole service, or in each facility by itself."""
        return "people_month" if self.scope.hip_id or self.scope.district else "people_state"


def tiles(facts: ReviewFacts, shown: Shown) -> list[Tile]:
    """The strip on top of the page."""
    found = facts.numbers
    month = found.by_month.get(shown.month) or Sums()
    made = [
        _tile("so_far", found.ours + found.imported, ours=grouped(found.ours), imported=grouped(found.imported)),
        _tile("today", found.today["tokens"], app=grouped(found.today["source_abha_app"])),
        Tile(label=TILE["month"].format(month=month_name(shown.month)), value=month["tokens"]),
        _share_tile(month),
        Tile(label=TILE["people"], value=month[shown.people_column], note=NOTE[shown.people_column]),
        _part_tile("walk_ins", month["source_staff"], month["tokens"]),
        _part_tile("no_app", month["source_camera"], month["tokens"]),
        _measured_tile("wait", month.wait_min(HALF), month.wait_min(NINE)),
        _measured_tile("ack", month.ack_s(HALF), month.ack_s(NINE)),
        _incentive_tile(found.incentive),
        _tile("conversion", None),
    ]
    return made if shown.scope.hip_id else [*made[:3], _live_tile(facts.districts), *made[3:]]


def _tile(name: str, value: Cell, **parts: str) -> Tile:
    return Tile(label=TILE[name], value=value, note=NOTE[name].format(**parts))


def _incentive_tile(found: Incentive | None) -> Tile:
    if found is None:
        return Tile(label=TILE["incentive"], value=None, note=NOTE["uncounted"])
    return _tile("incentive", found.counted, repeats=grouped(found.shares - found.counted))


def _live_tile(facts: Sequence[District]) -> Tile:
    live = all_live(facts)
    parts = {"all": sum(live.values()), "silent": live["silent"], "never": live["never"]}
    return _tile("live", live["today"], **{name: grouped(count) for name, count in parts.items()})


def _share_tile(month: Sums) -> Tile:
    percent = share_of(month)
    value = None if percent is None else review_messages.PERCENT.format(number=grouped(percent, 1))
    return _tile("share", value, app=grouped(month["source_abha_app"]), tokens=grouped(month["tokens"]))


def _part_tile(name: str, count: int, tokens: int) -> Tile:
    note = NOTE["of_tokens"].format(percent=grouped(count / tokens * 100, 1)) if tokens else NOTE["none"]
    return Tile(label=TILE[name], value=count, note=note)


def _measured_tile(name: str, half: float | None, nine: float | None) -> Tile:
    if half is None or nine is None:
        return Tile(label=TILE[name], value=None, note=NOTE["none"])
    return _tile(name, grouped(half, 1), nine=grouped(nine, 1))


def tables(facts: ReviewFacts, shown: Shown) -> list[Table]:
    """Every table of the page, in its order."""
    made = [trend(facts.numbers, shown), hours(facts.numbers, shown), priority_by_reason(facts.numbers, shown)]
    if not shown.scope.hip_id:
        made = [*made, districts(facts.districts, shown), facilities(facts.facilities, shown)]
    if facts.far:
        made = [far(facts.far), *made]
    return made if shown.scope != Scope() else [pillars(facts, shown), *made]


def far(found: Sequence[tuple[ArchivedFacility, Positions]]) -> Table:
    """Facilities that perhaps have the coordinates of another place."""
    rows = tuple(
        (one.name, one.hip_id, one.district or tr(review_messages.NO_DISTRICT), at.all_far, at.refused, at.near)
        for one, at in found
    )
    names = ("facility", "hip_id", "district", "far", "far_refused", "near")
    columns = tuple(Column(label=TEXT[name], name=name) for name in names)
    return Table(id="far", title=TITLE["far"], rows=rows, columns=columns, hint=HINT["far"])


def pillars(facts: ReviewFacts, shown: Shown) -> Table:
    """Each with value, target, date and source; what is not known stays empty."""
    live = all_live(facts.districts)
    ours = {
        "tokens": (facts.numbers.ours + facts.numbers.imported, tr(review_messages.OURS_AND_IMPORTED)),
        "institutions_live": (live["today"] + live["week"], tr(review_messages.OURS)),
    }
    rows = []
    for name, label in Sentences(review_messages.PILLARS).items():
        pillar = facts.pillars.get(name) or Pillar()
        value, source = ours.get(name, (pillar.value, pillar.source))
        day = shown.today if name in ours else pillar.day
        reached = value / pillar.target * 100 if value is not None and pillar.target else None
        known_source = source or tr(review_messages.NOT_KNOWN)
        rows.append((label, value, pillar.target, reached, day, known_source, pillar.target_source or None))
    return Table(
        id="pillars", title=TITLE["pillars"], rows=tuple(rows), hint=HINT["pillars"],
        columns=(
            Column(label=TEXT["pillar"], name="pillar"),
            Column(label=TEXT["value"], name="value"),
            Column(label=TEXT["target"], name="target"),
            Column(label=TEXT["reached"], name="reached_percent", digits=1),
            Column(label=TEXT["day"], name="date"),
            Column(label=TEXT["source"], name="source"),
            Column(label=TEXT["target_source"], name="target_source"),
        ),
    )  # fmt: skip


def trend(found: Numbers, shown: Shown) -> Table:
    """Months until the reviewed one, from the first in which something was counted or imported."""
    months = months_until(shown.month)
    busy = [one for one in months if found.by_month.get(one) or found.imported_by_month.get(one)]
    rows = [_trend_row(found, shown, one) for one in months if busy and one >= busy[0]]
    return Table(
        id="trend", title=TITLE["trend"], plot=Plot.STACK, unit=UNIT["tokens"], rows=tuple(rows),
        columns=(
            Column(label=TEXT["month"], name="month"),
            *_source_columns(drawn=True),
            Column(label=TEXT["imported"], name="tokens_imported", drawn=True),
            Column(label=TEXT["tokens"], name="tokens"),
            Column(label=TEXT["share"], name="by_app_percent", digits=1),
            Column(label=TEXT["people"], name=shown.people_column),
            *_time_columns(),
        ),
        summary=_compared(found, shown),
        hint=HINT["trend"].format(once=tr(review_messages.PEOPLE_ONCE[shown.people_column])),
    )  # fmt: skip


def _trend_row(found: Numbers, shown: Shown, month: date) -> tuple[Cell, ...]:
    """A month. What this service did not see is not known, rather than 0."""
    sums, imported = found.by_month.get(month), _imported(found, month)
    label = short_month_name(month)
    if not sums:
        return (label, *(None for _ in _BY_SOURCE), imported, None, None, None, None, None, None)
    return (
        label, *_by_source(sums), imported, sums["tokens"], share_of(sums), sums[shown.people_column],
        sums.wait_min(HALF), sums.wait_min(NINE), sums.ack_s(HALF),
    )  # fmt: skip


def hours(found: Numbers, shown: Shown) -> Table:
    """Who brought the patients of the month, by hour of arrival."""
    busy = [hour for hour, sums in found.by_hour.items() if sums]
    rows: list[tuple[Cell, ...]] = [
        (f"{hour:02d}:00", *_by_source(sums), sums["tokens"], share_of(sums), sums.wait_min(HALF), sums.wait_min(NINE))
        for hour in (range(min(busy), max(busy) + 1) if busy else ())
        for sums in [found.by_hour.get(hour) or Sums()]
    ]
    whole = total(found.by_hour.values())
    last = (*_by_source(whole), whole["tokens"], share_of(whole), whole.wait_min(HALF), whole.wait_min(NINE))
    return Table(
        id="hours", title=TITLE["hours"].format(month=month_name(shown.month)), plot=Plot.STACK, rows=tuple(rows),
        unit=UNIT["tokens"], total=(tr(review_messages.ALL), *last), hint=tr(figure_messages.HINTS["linked"]),
        columns=(
            Column(label=TEXT["hour"], name="hour"),
            *_source_columns(drawn=True),
            Column(label=TEXT["tokens"], name="tokens"),
            Column(label=TEXT["share"], name="by_app_percent", digits=1),
            *_time_columns()[:2],
        ),
    )  # fmt: skip


def priority_by_reason(found: Numbers, shown: Shown) -> Table:
    """Why clerks let people go sooner in the month, beside the months before it that had tickets, on average."""
    now = found.by_month.get(shown.month) or Sums()
    before = [
        sums for month in months_until(shown.month)[:-1] if (sums := found.by_month.get(month)) and sums["tokens"]
    ]
    usual = [count for _, count in counted(total(before))]
    rows = [
        (label, count, count / now["tokens"] * 100 if now["tokens"] else None, one / len(before) if before else None)
        for (label, count), one in zip(counted(now), usual, strict=True)
        if count or one
    ]
    text = Sentences(figure_messages.COLUMNS)
    return Table(
        id="priority", title=TITLE["priority"].format(month=month_name(shown.month)),
        rows=tuple(rows), hint=tr(figure_messages.HINTS["priority"]),
        columns=(
            Column(label=text["reason"], name="reason"),
            Column(label=text["given"], name="tickets"),
            Column(label=text["given_share"], name="of_all_percent", digits=1),
            Column(label=text["given_usual"], name="usual_month", digits=1),
        ),
    )  # fmt: skip


def districts(facts: Sequence[District], shown: Shown) -> Table:
    """Districts by name, with their institutions and their month. People are counted in each facility."""
    rows = [(one.name or tr(review_messages.NO_DISTRICT), *_live_cells(one.live), *_cells(one.sums)) for one in facts]
    whole = (*_live_cells(all_live(facts)), *_cells(total(one.sums for one in facts)))
    return Table(
        id="districts", title=TITLE["districts"].format(month=month_name(shown.month)), rows=tuple(rows),
        total=(tr(review_messages.ALL), *whole), hint=HINT["districts"],
        columns=(
            Column(label=TEXT["district"], name="district"),
            *(Column(label=TEXT[word], name=f"live_{word}") for word in LIVE),
            *_month_columns(),
        ),
    )  # fmt: skip


def facilities(found: Sequence[FacilityMonth], shown: Shown) -> Table:
    """Facilities and their month, the most tokens first."""
    rows = tuple(
        (
            one.facility.name, one.facility.hip_id, one.facility.district or tr(review_messages.NO_DISTRICT),
            one.facility.last_day, *_cells(one.sums), one.imported,
            one.incentive.shares if one.incentive else None, one.incentive.counted if one.incentive else None,
        )
        for one in found
    )  # fmt: skip
    return Table(
        id="facilities", title=TITLE["facilities"].format(month=month_name(shown.month)), rows=rows,
        hint=HINT["facilities"],
        columns=(
            Column(label=TEXT["facility"], name="facility"),
            Column(label=TEXT["hip_id"], name="hip_id"),
            Column(label=TEXT["district"], name="district"),
            Column(label=TEXT["last_day"], name="last_day"),
            *_month_columns(),
            Column(label=TEXT["imported"], name="tokens_imported"),
            Column(label=TEXT["accepted"], name="accepted_by_gateway"),
            Column(label=TEXT["counted"], name="counted_for_incentive"),
        ),
    )  # fmt: skip


def institutions(found: Mapping[str, Sequence[ArchivedFacility]]) -> Table:
    """All facilities by how lately they gave a number."""
    rows = tuple(
        (one.name, one.hip_id, one.district or tr(review_messages.NO_DISTRICT), LIVE_WORDS[word], one.last_day)
        for word, listed in found.items()
        for one in listed
    )
    names = ("facility", "hip_id", "district", "live", "last_day")
    columns = tuple(Column(label=TEXT[name], name=name) for name in names)
    return Table(id="institutions", title=TITLE["institutions"], rows=rows, columns=columns)


def share_of(sums: Sums) -> float | None:
    """Per cent of the tokens that came by the ABHA app; None without tokens."""
    return sums["source_abha_app"] / sums["tokens"] * 100 if sums["tokens"] else None


def _by_source(sums: Sums) -> tuple[Cell, ...]:
    return tuple(sums[f"source_{name}"] for name in _BY_SOURCE)


def _source_columns(*, drawn: bool) -> list[Column]:
    return [Column(label=label, name=f"source_{name}", drawn=drawn) for name, label in SOURCES.items()]


def _time_columns() -> list[Column]:
    return [
        Column(label=TEXT["wait"], name="wait_half_min", digits=1),
        Column(label=TEXT["wait_nine"], name="wait_nine_of_ten_min", digits=1),
        Column(label=TEXT["ack"], name="answer_half_s", digits=1),
    ]


def _month_columns() -> list[Column]:
    """What ``_cells`` fills."""
    return [
        Column(label=TEXT["tokens"], name="tokens"),
        *_source_columns(drawn=False),
        Column(label=TEXT["share"], name="by_app_percent", digits=1),
        Column(label=TEXT["people"], name="people_month"),
        *_time_columns(),
    ]


def _cells(sums: Sums) -> tuple[Cell, ...]:
    return (
        sums["tokens"], *_by_source(sums), share_of(sums), sums["people_month"], sums.wait_min(HALF),
        sums.wait_min(NINE), sums.ack_s(HALF),
    )  # fmt: skip


def _live_cells(live: Mapping[str, int]) -> tuple[Cell, ...]:
    return tuple(live.get(word, 0) for word in LIVE)


def _imported(found: Numbers, month: date) -> int:
    return found.imported_by_month.get(month, 0)


def _compared(found: Numbers, shown: Shown) -> str:
    before_month = months_until(shown.month)[-2]
    tokens, before = (
        (found.by_month.get(one) or Sums())["tokens"] + _imported(found, one) for one in (shown.month, before_month)
    )
    values = {"month": month_name(shown.month), "tokens": grouped(tokens)}
    is_over = shown.month < shown.today.replace(day=1)
    if not before or not is_over:  # a month that is not over is compared with nothing
        return SUMMARY["trend_alone"].format(**values)
    percent = round(abs(tokens - before) / before * 100)
    word = "same" if not percent else "more" if tokens > before else "fewer"
    more = {"percent": grouped(percent), "before_month": month_name(before_month), "before": grouped(before)}
    return SUMMARY[f"trend_{word}"].format(**values, **more)
