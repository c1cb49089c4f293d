"""Dry date: by hand, on teams whose flow is known, and where things are missing."""

import gc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from salesnb import DataError, attention, dataset, deal_odds, importers, pipeline, team
from salesnb.outlook import draws, hindsight, inflow, needs, paths
from salesnb.outlook.book import book
from salesnb.settings import Settings

AS_OF = pd.Timestamp("2026-06-28")  # a Sunday
N_WEEKS = 78
WEEKS = pd.date_range(end="2026-06-22", periods=N_WEEKS, freq="7D")
DAY = pd.Timedelta(days=1)


def flow(meetings, quota=100_000.0, last_weeks=5, **tables):
    """Each week's meetings bring half as many deals a week later, each worth 10,000.

    Every second deal is won, the others lost, all of them after `last_weeks`.
    """
    booked = [
        (rep, WEEKS[week] + DAY * (i % 5) + pd.Timedelta(hours=9))
        for rep, weeks in meetings.items()
        for week, n in enumerate(weeks)
        for i in range(n)
    ]
    created = [
        (rep, WEEKS[week] + 7 * DAY + DAY * (2 * i % 5), (week + i) % 2)
        for rep, weeks in meetings.items()
        for week, n in enumerate(weeks[:-1])
        for i in range(n // 2)
    ]
    deals = pd.DataFrame(created, columns=["rep_id", "created_on", "odd"])
    closed = deals["created_on"] + 7 * last_weeks * DAY
    outcome = np.where(deals.pop("odd") == 1, "won", "lost")
    deals["deal_id"] = [f"D{i:05}" for i in range(len(deals))]
    deals["closed_on"] = closed.where(closed <= AS_OF)
    deals["outcome"] = pd.Series(outcome, dtype="str").where(closed <= AS_OF)
    deals["amount"] = 10_000.0
    quotas = [
        (rep, start, start + pd.DateOffset(months=3) - DAY, quota)
        for rep in meetings
        for start in pd.date_range("2025-01-01", "2026-07-01", freq="QS")
    ]
    return made(
        deals,
        booked,
        list(meetings),
        quotas=pd.DataFrame(quotas, columns=["rep_id", "starts_on", "ends_on", "amount"]),
        **tables,
    )


def made(deals, booked, rep_ids, without=(), **tables):
    at = pd.Series([at for _, at in booked], dtype="datetime64[us]")
    tables["activities"] = pd.DataFrame(
        {
            "activity_id": [f"T{i}" for i in range(len(booked))],
            "rep_id": pd.Series([rep for rep, _ in booked], dtype="str"),
            "kind": "meeting",
            "booked_at": at,
            "happens_at": at + 7 * DAY,
        }
    )
    tables["reps"] = pd.DataFrame({"rep_id": rep_ids, "name": [f"Rep {rep}" for rep in rep_ids]})
    tables["reps"]["hired_on"] = pd.Timestamp("2019-01-07")
    tables["absences"] = pd.DataFrame(columns=["rep_id", "starts_on", "ends_on"])
    tables |= {"deals": deals}
    return team.of(
        Settings(as_of=AS_OF), {name: t for name, t in tables.items() if name not in without}
    )


def steady():
    return {f"R{i}": [4] * N_WEEKS for i in range(6)}


@pytest.fixture(scope="module")
def even():
    return flow(steady())


def dropping(quota):
    """One rep's meetings have dropped for six weeks; a deal lasts for twelve."""
    meetings = steady() | {"LESS": [4] * (N_WEEKS - 6) + [1, 2, 1, 2, 1, 1]}
    return flow(meetings, quota=quota, last_weeks=12)


@pytest.fixture(scope="module")
def dropped():
    return dropping(72_000.0)


def rows_of(found, rep):
    rows = found.table
    return rows[rows["rep_id"].isna() if rep is None else rows["rep_id"] == rep].set_index("week")


# By hand


def four_visits():
    """Gone on after 2 and 8 days, lost after 4, still waiting after 6."""
    days, event = np.array([2.0, 4.0, 6.0, 8.0]), np.array([1, 2, 0, 1])
    none = np.zeros(4)
    return paths.learn(none.astype(int), days, event, none.astype(int), none, (1, 1))


def test_a_visit_that_has_waited_has_the_odds_of_those_that_had():
    stage = four_visits().stages[0]
    np.testing.assert_allclose(stage.on, [0.25, 0.25, 0.25, 0.75])
    np.testing.assert_allclose(stage.lost, [0, 0.25, 0.25, 0.25])
    ends, goes_on = stage.odds(np.array([0.0, 5.0, 9.0]))
    np.testing.assert_allclose(ends, [4 / 5, 2 / 3, 0])  # one visit that never ends is added
    np.testing.assert_allclose(goes_on[:2], [0.75, 1])
    left = stage.ends_on(np.array([True, True, False]), np.array([0.0, 5, 0]), np.full(3, 0.1))
    assert left.tolist() == [2, 3, 4]


def test_drawn_paths_come_out_as_the_visits_did():
    dice = np.random.default_rng(1)
    n = 4000
    stage = np.repeat([0, 1], n)
    days = np.where(stage == 0, dice.integers(5, 15, 2 * n), dice.integers(10, 40, 2 * n))
    event = np.where(dice.random(2 * n) < np.where(stage == 0, 0.6, 0.3), 1, 2)
    ways = paths.learn(
        stage, days.astype(float), event, np.zeros(2 * n, int), np.zeros(2 * n), (1, 2)
    )
    none = np.zeros(n)
    closes, won = paths.draw(ways, none.astype(int), none, none, np.zeros((n, 2)), none, dice)
    assert won.mean() == pytest.approx(0.6 * 0.3, abs=0.02)
    assert closes[won].mean() == pytest.approx(9.5 + 24.5, abs=1)


def test_large_deals_may_be_slower():
    dice = np.random.default_rng(2)
    n = 6000
    size, none = dice.normal(size=n), np.zeros(n)
    days = 20 * np.exp(0.4 * size + dice.normal(0, 0.3, n))
    event = dice.integers(1, 3, n)
    ways = paths.learn(none.astype(int), days, event, none.astype(int), size, (1, 1))
    assert ways.slower == pytest.approx(0.4, abs=0.03)


def test_lag_and_ratio_of_meetings_and_deals():
    dice = np.random.default_rng(3)
    booked = dice.poisson(6, (12, 80))
    due = inflow.lagged(booked * 0.4, np.array([0, 0, 1.0]))
    ratio, n, lag, inflation = inflow._ratios(booked, dice.poisson(due))
    assert lag[2] > 0.85
    np.testing.assert_allclose(ratio, 0.4, atol=0.05)
    assert (n > 100).all()
    assert inflation < 1.3


def test_what_a_pipeline_has_to_hold(even):
    # Ten deals open at a time, 100,000; one of two a week won, 130,000 a quarter.
    coverage, evidence = needs.required_coverage(book(even))
    np.testing.assert_allclose(coverage, 100 / 130, rtol=0.06)
    assert (evidence > 8).all()


def test_quota_goes_on_as_it_was(even):
    per_day, is_set = needs.quota_by_day(book(even), 200)
    assert is_set.all()
    assert per_day[0, 0] == pytest.approx(100_000 / 91)  # 29 June
    assert per_day[0, 5] == pytest.approx(100_000 / 92)  # July to September
    assert per_day[0, 199] == pytest.approx(100_000 / 92)
    without = team.of(even.settings, {k: t for k, t in even.tables.items() if k != "quotas"})
    per_day, is_set = needs.quota_by_day(book(without), 10)
    assert not is_set.any()
    np.testing.assert_allclose(per_day, 10_000 / 7, rtol=0.06)  # one deal a week


def test_weeks_ahead_begin_with_the_day_after():
    sunday, tuesday = AS_OF, AS_OF + 2 * DAY
    assert inflow.ahead_of(sunday, 2).strftime("%m-%d").tolist() == ["06-29", "07-06"]
    assert inflow.ahead_of(tuesday, 1)[0] == pd.Timestamp("2026-06-29")
    assert inflow.next_weeks(sunday, 2).tolist() == [7, 14]
    assert inflow.next_weeks(tuesday, 2).tolist() == [5, 12]


def test_what_came_by_hand():
    deals = [
        ("D1", "A", "2026-01-01", "2026-02-10", "won", 100.0),  # in the second week
        ("D2", "A", "2026-01-01", "2026-03-31", "lost", 10.0),  # open for eight weeks more
        ("D3", "A", "2026-02-20", None, None, 1.0),  # begins in the third week
        ("D4", "B", "2026-01-01", "2026-01-20", "won", 1000.0),  # before
    ]
    columns = ["deal_id", "rep_id", "created_on", "closed_on", "outcome", "amount"]
    rows = pd.DataFrame(deals, columns=columns)
    for column in ("created_on", "closed_on"):
        rows[column] = pd.to_datetime(rows[column])
    booked = [(rep, pd.Timestamp("2026-01-05 10:00")) for rep in "AB"]
    some, day = made(rows, booked, ["A", "B"]), pd.Timestamp("2026-02-01")
    came = hindsight.came(some, pd.Index(["A", "B"]), day)
    assert came["open_amount"][0, [0, 1, 2, 7, 8]].tolist() == [110, 10, 11, 11, 1]
    assert came["won_amount"][0, [0, 1, 12]].tolist() == [0, 100, 100]
    assert (came["open_amount"][1] == 0).all()
    assert (came["won_amount"][1] == 0).all()


def test_how_much_wider_the_band_must_be():
    off = np.array([0, 0, 1, 2, 3, 4, 5, 8, 12, 30.0])
    rows = pd.DataFrame({"low": -4.0, "middle": 0.0, "high": 4.0, "actual": off})
    assert hindsight.widening(rows) == 3.0  # the 9th of 10: 0.8 x (10 + 1) rounded up
    assert hindsight.widening(rows.assign(actual=off / 4)) == 1.0  # never narrower
    assert hindsight.widening(rows.iloc[:0]) == 1.0


def test_the_running_week_counts_as_a_whole(even):
    tuesday = even.at("2026-06-16")
    seen = draws.outlook(tuesday)
    assert seen.inflow.week[0] == pd.Timestamp("2026-06-15")
    assert seen.inflow.booked[0, -draws.AHEAD] == pytest.approx(4, rel=0.05)
    known, ahead = seen.inflow.parts(0)
    assert known[0] + ahead[0] == pytest.approx(2 * 3 / 5, rel=0.1)  # Wednesday to Friday
    assert known[1] + ahead[1] == pytest.approx(2, rel=0.1)


def test_leave_nobody_has_planned_yet_comes_all_the_same(even):
    starts = pd.date_range("2025-07-07", "2026-05-11", freq="35D")  # every fifth week, ten times
    away = pd.DataFrame({"rep_id": "R0", "starts_on": starts, "ends_on": starts + 4 * DAY})
    rep_id, weeks = pd.Index(["R0"]), inflow.ahead_of(AS_OF, 3)
    some = team.of(even.settings, {**even.tables, "absences": away})
    np.testing.assert_allclose(inflow._at_work(some, rep_id, weeks), (52 - len(away)) / 52)
    planned = away.assign(starts_on=away["starts_on"] + 364 * DAY).iloc[:1]
    planned = planned.assign(ends_on=planned["starts_on"] + 4 * DAY)  # all of the second week
    some = team.of(even.settings, {**even.tables, "absences": pd.concat([away, planned])})
    assert inflow._at_work(some, rep_id, weeks)[0, 1] == 0
    np.testing.assert_allclose(inflow._at_work(even, rep_id, weeks), 1)


def test_a_band_is_widened_about_its_middle():
    low, middle, high = hindsight.band(np.arange(101.0)[None, :])
    assert (low[0], middle[0], high[0]) == (10, 50, 90)
    low, middle, high = hindsight.band(np.arange(101.0)[None, :], 1.5)
    assert (low[0], middle[0], high[0]) == (0, 50, 110)


# Teams whose flow is known


def test_a_steady_flow_goes_on(even):
    found = pipeline.dry_date(even)
    assert len(found.table) == 7 * draws.AHEAD
    rows = rows_of(found, "R0")
    assert rows["n_meetings"].between(3.5, 4.5).all()
    assert rows["open_amount"].between(80_000, 120_000).all()
    assert rows["won_amount"].iloc[12] == pytest.approx(130_000, rel=0.2)
    assert rows["quota_amount"].iloc[12] == pytest.approx(100_000, rel=0.02)
    np.testing.assert_allclose(rows["required_ratio"], 0.77, rtol=0.06)
    np.testing.assert_allclose(rows["needed_amount"].iloc[0], 77_000, rtol=0.06)
    assert rows["dry_on"].isna().all()
    assert (rows["extra_meetings"] == 0).all()
    all_ = rows_of(found, None)
    np.testing.assert_allclose(all_["needed_amount"], 6 * rows["needed_amount"], rtol=0.02)
    assert found.headline.startswith("The team: the open pipeline carries the quota to the week")
    assert found.headline.endswith("No single rep's falls short beyond chance.")


def test_fewer_meetings_now_are_a_dry_pipeline_later(dropped):
    found = pipeline.dry_date(dropped, rep="LESS")
    rows = rows_of(found, "LESS")
    assert len(rows) == draws.AHEAD
    assert rows["n_meetings"].iloc[5:].between(1, 2.6).all()
    # 24 deals were open; of the last twelve weeks' 16 all are closed after twelve more, and the
    # present pace, 1.3 to 2 meetings a week, keeps 8 to 12 open.
    assert rows["open_amount"].iloc[0] == pytest.approx(145_000, abs=15_000)
    assert rows["open_amount"].iloc[12] == pytest.approx(100_000, abs=25_000)
    assert not rows["is_dry"].iloc[0]
    assert rows["is_dry"].iloc[10]
    first = rows["dry_on"].iloc[0]
    assert first == rows.index[rows["is_dry"]][0]
    assert rows["dry_weeks"].iloc[0] == (first - rows.index[0]).days / 7
    assert found.headline.startswith("Rep LESS: the open pipeline falls below what the quota needs")
    assert "more meetings a week for 4 weeks would close it" in found.headline
    assert found.ask
    together = pipeline.dry_date(dropped)
    assert "Rep LESS" in together.headline
    assert "1 of 7 reps falls short beyond chance: Rep LESS from " in together.headline


@pytest.mark.parametrize(
    ("quota", "said"),
    [
        (30_000.0, "carries the quota to the week of 21 December, at the low end of the band only"),
        (50_000.0, "may fall below what the quota needs in the week of"),
        (50_000.0, "if bookings go on as now"),
        (85_000.0, "is too small for the quota, €140,000 of €1"),
        (200_000.0, "(more than meetings alone can close; 4 a week is usual)"),
    ],
)
def test_the_same_drop_against_more_quota(quota, said):
    found = pipeline.dry_date(dropping(quota), rep="LESS")
    assert said in found.headline
    assert bool(found.ask) == found.table["is_dry"].any()


def test_the_picture_names_the_first_short_week(dropped, even):
    found = pipeline.dry_date(dropped, rep="LESS")
    first = found.table["dry_on"].iloc[0]
    assert marks(found) == [f"short from {first.day} {first:%B}"]
    assert not marks(pipeline.dry_date(even))


def marks(found):
    """What is written into the picture, the names of its series aside."""
    ax = found.plot()
    named = ax.get_legend_handles_labels()[1]
    said = [" ".join(text.get_text().split()) for text in ax.texts]
    return [words for words in said if words not in named]


def test_the_extra_meetings_close_the_gap(dropped):
    rows = rows_of(pipeline.dry_date(dropped), "LESS")
    extra = rows["extra_meetings"].iloc[0]
    assert 0 < rows["extra_meetings_low"].iloc[0] < extra < rows["extra_meetings_high"].iloc[0]
    seen, deals = draws.outlook(dropped), book(dropped)
    rep = list(seen.rep_id).index("LESS")
    booked = seen.inflow.booked.copy()
    booked[rep, -draws.AHEAD :][1:5] += extra
    more = replace(seen.inflow, booked=booked)
    ends = inflow.next_weeks(AS_OF, draws.AHEAD)
    then = np.median(draws.draw(deals, more, rep, ends)[0], axis=1)
    needed, before = rows["needed_amount"].to_numpy(), rows["open_amount"].to_numpy()
    assert (before[6:13] < 0.9 * needed[6:13]).any()
    assert (then[6:13] > 0.85 * needed[6:13]).all()


def random_team(seed, n_reps=10, thinned=None):
    """Meetings, deals and wins as chance has them; no stage history.

    thinned : (rep, share): so many of a rep's meetings of the last eight weeks did not take place
    """
    dice = np.random.default_rng(seed)
    ids = [f"R{i:02}" for i in range(n_reps)]
    pace = 5 * np.exp(dice.normal(0, 0.25, n_reps))
    counts = dice.poisson(pace[:, None] * dice.gamma(12, 1 / 12, (n_reps, N_WEEKS)))
    rep, week = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    at = WEEKS[week] + pd.to_timedelta(dice.integers(0, 5, len(rep)), unit="D")
    is_deal = dice.random(len(rep)) < 0.3
    made_on = at + pd.to_timedelta(dice.integers(3, 12, len(rep)), unit="D")
    is_won = dice.random(len(rep)) < 0.3
    days = np.ceil(np.where(is_won, 40, 60) * np.exp(dice.normal(0, 0.7, len(rep))))
    amount = np.round(20_000 * np.exp(dice.normal(0, 0.8, len(rep))))
    took_place = np.ones(len(rep), bool)
    if thinned:
        is_late = (rep == ids.index(thinned[0])) & (week >= N_WEEKS - 8)
        took_place = ~is_late | (dice.random(len(rep)) >= thinned[1])
    booked = [
        (ids[r], day + pd.Timedelta(hours=10))
        for r, day in zip(rep[took_place], at[took_place], strict=True)
    ]
    known = np.flatnonzero(took_place & is_deal & (made_on <= AS_OF))
    closed = pd.Series(made_on[known] + pd.to_timedelta(days[known], unit="D"))
    deals = pd.DataFrame(
        {
            "deal_id": [f"D{i:05}" for i in known],
            "rep_id": [ids[r] for r in rep[known]],
            "created_on": made_on[known],
            "closed_on": closed.where(closed <= AS_OF),
            "outcome": pd.Series(np.where(is_won[known], "won", "lost")).where(closed <= AS_OF),
            "amount": amount[known],
        }
    )
    return made(deals, booked, ids)


def looked_back(seed):
    """The outlook of a quarter ago by rep and week, beside what came: `actual`, by kind."""
    some, day = random_team(seed), AS_OF - 91 * DAY
    table = pipeline.dry_date(some.at(day)).table
    rep_id = pd.Index(sorted(table["rep_id"].dropna().unique()))
    came = hindsight.came(some, rep_id, day)
    week = (table["week"] - table["week"].min()).dt.days // 7
    rows = table[(week < 13) & table["rep_id"].notna()].copy()
    at = rep_id.get_indexer(pd.Index(rows["rep_id"])), week[rows.index].to_numpy()
    return rows.assign(**{f"{kind}_came": came[kind][at] for kind in came})


@pytest.mark.slow
def test_the_band_holds_what_comes_and_who_is_short_beyond_chance_is_short():
    """Nothing is planted."""
    rows = pd.concat([looked_back(seed) for seed in range(16)])
    for kind in hindsight.KINDS:
        shown = rows[f"{kind}_came"].between(rows[f"{kind}_low"], rows[f"{kind}_high"])
        assert 0.7 <= shown.mean() <= 0.9, kind
    is_named = rows["dry_share"] >= 0.9
    assert is_named.sum() > 50
    assert (rows["open_amount_came"] < rows["needed_amount"])[is_named].mean() >= 0.8


@pytest.mark.slow
def test_a_planted_drop_in_meetings_brings_the_dry_date_nearer():
    before, after = [], []
    for seed in range(8):
        for thinned, weeks in ((None, before), (("R03", 0.7), after)):
            rows = rows_of(pipeline.dry_date(random_team(seed, thinned=thinned), rep="R03"), "R03")
            weeks.append(np.nan_to_num(rows["dry_weeks"].iloc[0], nan=draws.AHEAD))
    before, after = np.array(before), np.array(after)
    can_be_nearer = before > 0
    assert can_be_nearer.sum() >= 4
    assert (after <= before).all()
    assert (after < before)[can_be_nearer].mean() >= 0.8


def test_what_is_drawn_for_one_rep_does_not_hang_on_the_others(even):
    one = rows_of(pipeline.dry_date(even), "R1")
    alone = rows_of(pipeline.dry_date(even, rep="R1"), "R1")
    pd.testing.assert_frame_equal(one, alone)


# What is missing


def test_no_dry_date_is_made_up_without_activities(even):
    tables = {name: t for name, t in even.tables.items() if name != "activities"}
    with pytest.raises(DataError, match="activities") as error:
        pipeline.dry_date(team.of(even.settings, tables))
    assert [fault.table for fault in error.value.faults] == ["activities"]


def test_maven_has_no_activities(maven_source, tmp_path):
    importers.run("maven", maven_source, tmp_path / "maven")
    with pytest.raises(DataError, match="activities"):
        pipeline.dry_date(dataset.load(tmp_path / "maven"))


def test_without_meetings_or_deals_nothing_is_told(even):
    calls = even.activities.assign(kind="call")
    found = pipeline.dry_date(team.of(even.settings, {**even.tables, "activities": calls}))
    assert found.table.empty
    assert found.headline == "No meetings are recorded: without them no dry date can be told."
    none = team.of(even.settings, {**even.tables, "deals": even.deals.iloc[:0]})
    assert pipeline.dry_date(none).headline.startswith("No deals are recorded")


def test_who_has_left_has_no_dry_date(even):
    reps = even.reps
    reps.loc[reps["rep_id"] == "R2", "left_on"] = pd.Timestamp("2026-06-01")
    some = team.of(even.settings, {**even.tables, "reps": reps})
    assert pipeline.dry_date(some, rep="R2").headline.startswith("Rep R2: not on the team now")
    assert "R2" not in set(pipeline.dry_date(some).table["rep_id"].dropna())


def test_a_team_that_is_gone_or_new(even):
    gone = even.reps.assign(left_on=pd.Timestamp("2026-06-01"))
    found = pipeline.dry_date(team.of(even.settings, {**even.tables, "reps": gone}))
    assert found.headline.startswith("Nobody is on the team now")
    new = even.reps.assign(hired_on=AS_OF - 60 * DAY)  # nobody was there on the earlier days
    found = pipeline.dry_date(team.of(even.settings, {**even.tables, "reps": new}))
    assert "The history is too short" in found.caveats[1]


def test_without_wins_nothing_tells_what_the_quota_needs(even):
    deals = even.deals
    deals["outcome"] = deals["outcome"].where(deals["outcome"].isna(), "lost")
    found = pipeline.dry_date(team.of(even.settings, {**even.tables, "deals": deals}))
    assert found.headline == "The team: no deal won in the last year tells what the quota needs."
    assert found.table["needed_amount"].isna().all()
    assert not found.table["is_dry"].any()


def test_what_is_not_known_is_said(even):
    said = " ".join(pipeline.dry_date(even).caveats)
    assert "No stage history is recorded" in said
    assert "no quota" not in said
    assert "days of the last year" in said
    tables = {name: t for name, t in even.tables.items() if name != "quotas"}
    deals = even.deals
    deals["amount"] = deals["amount"].mask(deals["outcome"].isna())
    said = " ".join(pipeline.dry_date(team.of(even.settings, {**tables, "deals": deals})).caveats)
    assert "There is no quota: what was won in the last year stands for it." in said
    assert "open deals have no amount" in said


@pytest.mark.parametrize("weeks", [0, 11])
def test_weeks_out_of_range_are_an_error(even, weeks):
    with pytest.raises(DataError, match="from 1 to 10"):
        pipeline.dry_date(even, weeks=weeks)


def test_earlier_days_of_a_team_are_let_go(small):
    """Four times all tables would be held for a single band, and six times for others.

    At once: the collector, which comes by chance, is not waited for.
    """

    def held():
        return sum(isinstance(each, team.Team) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = held()
        assert len(hindsight._held(small, 3).checks)
        assert held() == before
        attention.unusual(small)
        assert held() == before
        then = small.at("2026-03-31")
        deal_odds._look(then)
        del then
        assert held() == before
    finally:
        gc.enable()
