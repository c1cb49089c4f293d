"""The coaching log by hand, on teams where nothing is so, and against planted truth."""

import numpy as np
import pandas as pd
import pytest
from handmade import AS_OF, deal, team_of
from scipy.special import expit
from scipy.stats import beta, binom

import salesnb
from salesnb import DataError, coaching_log
from salesnb.coaching_log import equal, hardness
from salesnb.settings import Settings
from salesnb.simulation.plan import Plan
from salesnb.simulation.story import tell
from salesnb.team import Team, of

DEALS = [deal("D1", "R1", "2026-01-05", "Demo", "lost", amount=9_000)]
KEYS = ["session_id", "rep_id", "held_on", "kind", "minutes", "topic", "strength"]
KEYS += ["commitment", "due_on", "done_on", "reason"]
# Six sessions: four with Ágnes, one with Bob, one with Cili long ago; nothing with Dan and Eve.
ONE, RIDE, CALL, OUT = "one_on_one", "ride_along", "call_review", "external"
SIX = [
    ("S1", "R1", "2026-03-02", ONE, 60, "Demo", "Hears", "Call", "2026-03-16", "2026-03-10", "own"),
    ("S2", "R1", "2026-04-01", RIDE, 180, "Demo", None, "Ask R2", "2026-04-15", "2026-04-20", OUT),
    ("S3", "R1", "2026-05-11", ONE, 30, None, "Asks", "Write it down", "2026-05-18", None, "own"),
    ("S4", "R1", "2026-06-10", ONE, 45, "Offer", None, "Practise", "2026-07-10", None, None),
    ("S5", "R2", "2026-06-15", CALL, None, "Demo", None, None, None, None, "unclear"),
    ("S6", "R3", "2025-02-03", ONE, 60, None, "Calm", "Rest", None, None, None),
]


def team_with(rows, **tables) -> Team:
    return team_of(DEALS, coaching=pd.DataFrame(rows, columns=KEYS), **tables)


@pytest.fixture(scope="module")
def six():
    return team_with(SIX)


# By hand


def test_the_latest_sessions_come_first(six):
    found = coaching_log.history(six, sessions=3)
    assert list(found.table["session_id"]) == ["S5", "S4", "S3"]
    assert list(found.table["status"]) == ["", "open", "past its day"]
    # Since 31 March: S2, S3, S4, S5; 180 + 30 + 45 minutes are 4.25 hours.
    assert found.headline == (
        "4 sessions, 4.2 hours in the last 13 weeks (2 one-on-ones, 1 ride-along, 1 call review); "
        "3 of 5 reps had none."
    )
    own = coaching_log.history(six, rep="R1")
    assert own.headline.startswith("Ágnes Kiss: 3 sessions, 4.2 hours")
    assert list(own.table["commitment"])[2] == "Ask a colleague"
    assert coaching_log.history(six, rep="R5").headline == "Eve New: no session on record yet."
    assert coaching_log.history(six, rep="R3").headline.endswith("13 weeks; 1 session before.")
    with pytest.raises(DataError, match="at least 1"):
        coaching_log.history(six, sessions=0)


def test_what_is_past_its_day_comes_first(six):
    found = coaching_log.commitments(six)
    wanted = ["past its day", "open", "open", "done later", "done"]
    assert list(found.table["status"]) == wanted
    assert list(found.table["commitment"])[:3] == ["Write it down", "Practise", "Rest"]
    assert found.table["overdue_days"].iloc[0] == 43  # 18 May to 30 June
    assert found.table["overdue_days"].iloc[1:].isna().all()
    # One of three whose day has passed was done by it: Wilson's interval is .412 +- .334.
    assert list(found.table["is_kept"].dropna()) == [False, False, True]
    assert "Of the 3 whose day passed in the last year 33% were done by it (8%–75%)." in (
        found.headline
    )
    own = coaching_log.commitments(six, rep="R1")
    assert own.headline.startswith("Ágnes Kiss: 4 commitments on record: 1 past its day, 1 open")
    assert "“Write it down”" in own.ask[0]


def test_who_has_left_has_nothing_to_do_any_more():
    reps = pd.DataFrame(
        {"rep_id": ["R1", "R2"], "name": ["A", "B"], "left_on": ["2026-06-01", None]}
    )
    rows = [row for row in SIX if row[1] in ("R1", "R2")]
    team = team_with(rows, reps=reps)
    assert coaching_log.commitments(team).table.empty
    assert len(coaching_log.commitments(team, rep="R1").table) == 4
    assert list(coaching_log.cadence(team).table["rep_id"]) == ["R2"]
    assert "not on the team" in coaching_log.cadence(team, rep="R1").headline


def test_the_rhythm_leaves_leave_out():
    away = pd.DataFrame({"rep_id": ["R1"], "starts_on": ["2026-04-05"], "ends_on": ["2026-04-14"]})
    table = coaching_log.cadence(team_with(SIX, absences=away)).table.set_index("rep_id")
    # 30 days from 2 March, 40 - 10 on leave, 30: the median is 30, and 20 days have passed since.
    assert table.loc["R1", ["n_gaps", "gap_days", "longest_gap_days"]].tolist() == [3, 30, 30]
    assert table.loc["R1", "next_on"] == pd.Timestamp("2026-07-10")
    assert not table.loc["R1", "is_due"]
    # Without a session the log's first day counts; the time since the last one may be the longest.
    assert table.loc["R5", "next_on"] == pd.Timestamp("2025-03-05")
    assert table.loc["R5", "overdue_days"] == 482
    assert table.loc["R3", "longest_gap_days"] == 512
    with pytest.raises(DataError, match="every_days"):
        coaching_log.cadence(team_with(SIX), every_days=0)


def test_leave_ahead_moves_the_day():
    away = pd.DataFrame({"rep_id": ["R1"], "starts_on": ["2026-07-05"], "ends_on": ["2026-07-14"]})
    table = coaching_log.cadence(team_with(SIX, absences=away)).table.set_index("rep_id")
    assert table.loc["R1", "next_on"] == pd.Timestamp("2026-07-20")


def test_time_and_praise_by_hand(six):
    table = coaching_log.balance(six).table.set_index("rep_id")
    # 315 minutes since January, a fifth of them each; S5 has no minutes.
    assert table.loc["R1", ["n_sessions", "minutes", "expected_minutes"]].tolist() == [4, 315, 63]
    assert table.loc["R1", "attention_ratio"] == pytest.approx(5)
    assert table.loc["R1", ["n_praised", "n_worked_on"]].tolist() == [2, 4]
    assert table.loc["R2", "since_days"] == 15
    assert not table["is_praise_short"].any()  # 2 against 0 is chance
    assert "1 session without minutes" in coaching_log.balance(six).caveats[0]
    with pytest.raises(DataError, match="months"):
        coaching_log.balance(six, months=0)


def test_a_session_after_the_export_is_no_negative_day():
    team = team_with([*SIX, ("S7", "R1", "2026-07-02", "one_on_one", 30, *[None] * 6)])
    balance = coaching_log.balance(team).table.set_index("rep_id")
    assert balance.loc["R1", ["n_sessions", "since_days"]].tolist() == [5, 0]
    table = coaching_log.cadence(team).table.set_index("rep_id")
    assert table.loc["R1", "next_on"] == pd.Timestamp("2026-08-01")
    assert coaching_log.history(team).table["session_id"].iloc[0] == "S7"


def test_long_words_in_any_script_are_shortened():
    for text in ("長" * 10_000, "wörter " * 1_500, "line\none\n" * 900):
        row = ("S1", "R1", "2026-05-04", "one_on_one", 30, "Demo", text, text, None, None, "own")
        asked = coaching_log.commitments(team_with([row]), rep="R1").ask[0]
        assert len(asked) < 250
        assert "\n" not in asked


# Time that falls by chance, and somebody forgotten


def logged(days_of, reps, seed=0, **more) -> Team:
    """A team whose sessions lie `days_of(rng)` days before the export."""
    rng = np.random.default_rng(seed)
    rows = [(f"R{rep:02}", day) for rep in range(reps) for day in days_of(rng)]
    log = pd.DataFrame(rows, columns=["rep_id", "day"])
    log["held_on"] = AS_OF - pd.to_timedelta(log.pop("day"), unit="D")
    log["session_id"], log["kind"] = [f"S{i}" for i in range(len(log))], "one_on_one"
    log["minutes"] = rng.choice([30.0, 45.0, 180.0], len(log))
    log["strength"] = pd.Series(rng.choice(["Asks", ""], len(log)), dtype="str").replace("", None)
    log["topic"] = pd.Series(rng.choice(["Demo", ""], len(log)), dtype="str").replace("", None)
    ids = [f"R{rep:02}" for rep in range(reps)]
    tables = {"reps": pd.DataFrame({"rep_id": ids, "name": ids}), "coaching": log, **more}
    deals = pd.DataFrame({"deal_id": ["D1"], "rep_id": ids[:1], "created_on": ["2026-01-05"]})
    return of(Settings(as_of=AS_OF), {**tables, "deals": deals})


def by_chance(rng):
    return rng.integers(0, 540, rng.poisson(18))


def monthly(rng):
    return np.arange(0, 540, 30) + rng.integers(0, 28, 18)


@pytest.mark.parametrize(("days_of", "reps"), [(by_chance, 6), (by_chance, 20), (monthly, 10)])
def test_where_time_falls_by_chance_nobody_is_named(days_of, reps):
    tables = [coaching_log.balance(logged(days_of, reps, seed)).table for seed in range(25)]
    for column in ("is_apart", "is_forgotten", "is_praise_short"):
        n = sum(bool(table[column].any()) for table in tables)
        assert n <= binom.ppf(0.995, len(tables), 0.05), column


def without(team: Team, rep: str, days: int) -> Team:
    """The team, had this rep had no session in the last days."""
    log = team.coaching
    is_gone = (log["rep_id"] == rep) & (log["held_on"] > AS_OF - pd.Timedelta(days=days))
    return Team(team.settings, {**team.tables, "coaching": log[~is_gone].reset_index(drop=True)})


def test_the_forgotten_one_is_found_and_nobody_else():
    for seed in range(5):
        found = coaching_log.balance(without(logged(monthly, 10, seed), "R03", 150))
        assert list(found.table.loc[found.table["is_forgotten"], "rep_id"]) == ["R03"]
        assert "R03 (" in found.headline
        assert found.ask


@pytest.mark.parametrize("why", ["left", "new", "away"])
def test_who_was_not_there_was_not_forgotten(why):
    team = without(logged(monthly, 10), "R03", 150)
    reps, tables = team.reps.assign(hired_on=pd.NaT, left_on=pd.NaT), {}
    is_it = reps["rep_id"] == "R03"
    if why == "left":
        reps["left_on"] = reps["left_on"].where(~is_it, AS_OF - pd.Timedelta(days=100))
    if why == "new":
        reps["hired_on"] = reps["hired_on"].where(~is_it, AS_OF - pd.Timedelta(days=20))
        log = team.coaching
        tables["coaching"] = log[log["rep_id"] != "R03"].reset_index(drop=True)
    if why == "away":
        spell = {"starts_on": [AS_OF - pd.Timedelta(days=145)], "ends_on": [AS_OF]}
        tables["absences"] = pd.DataFrame({"rep_id": ["R03"], **spell})
    dates = {name: reps[name].astype("datetime64[us]") for name in ("hired_on", "left_on")}
    team = Team(team.settings, {**team.tables, **tables, "reps": reps.assign(**dates)})
    assert not coaching_log.balance(team).table["is_forgotten"].any()


def test_much_more_time_for_one_is_told_apart():
    team = logged(monthly, 8)
    more = logged(lambda rng: rng.integers(0, 180, 60), 1, seed=1).coaching
    more["session_id"] = "T" + more["session_id"]
    log = pd.concat([team.coaching, more], ignore_index=True)
    table = coaching_log.balance(Team(team.settings, {**team.tables, "coaching": log})).table
    apart = table[table["is_apart"] & (table["attention_ratio"] > 1)]
    assert list(apart["rep_id"]) == ["R00"]


def test_praise_that_falls_short_is_told():
    team = logged(monthly, 8)
    log = team.coaching
    is_it = log["rep_id"] == "R05"
    log["strength"] = log["strength"].mask(is_it)
    log["topic"] = log["topic"].mask(is_it, "Demo")
    team = Team(team.settings, {**team.tables, "coaching": log})
    found = coaching_log.balance(team, months=12)
    # Twelve sessions in which nothing is praised: 1 in 4,096 by chance.
    assert list(found.table.loc[found.table["is_praise_short"], "rep_id"]) == ["R05"]
    assert "praise falls short for 1 rep" in found.headline


def test_a_share_by_chance_is_the_binomial():
    p = equal._p_of_share(np.array([2.0, 18.0]), 20.0, np.array([0.5, 0.5]))
    assert p == pytest.approx(2 * binom.cdf(2, 20, 0.5))


# Causes, commitments, and whether the deals are hard


def sessions_of(rep, reasons, start="2026-01-05"):
    days = pd.date_range(start, periods=len(reasons), freq="7D").strftime("%Y-%m-%d")
    return [
        (f"{rep}-{i}", rep, day, "one_on_one", 30, "Demo", None, None, None, None, reason)
        for i, (day, reason) in enumerate(zip(days, reasons, strict=True))
    ]


def test_below_five_sessions_nothing_is_said_of_causes():
    table = coaching_log.readiness(team_with(sessions_of("R1", ["external"] * 4)), "R1")
    assert "too few sessions of the last year to say (n = 4)" in table.headline
    assert table.table["share"].isna().all()
    # A cause noted more than a year ago is not held against anybody.
    old = team_with(sessions_of("R1", ["external"] * 9, start="2024-01-08"))
    assert "to say (n = 0)" in coaching_log.readiness(old, "R1").headline


def test_causes_are_drawn_towards_the_teams_share():
    rows = sessions_of("R1", ["external"] * 8 + ["own"] * 2)
    for rep in ("R2", "R3", "R4"):
        rows += sessions_of(rep, ["own"] * 8 + ["external"] * 2)
    found = coaching_log.readiness(team_with(rows), "R1")
    own, outside = found.table.iloc[0], found.table.iloc[1]
    assert (own["n"], own["n_seen"], own["typical_share"]) == (10, 2, 0.8)
    # The others are as alike as can be, so their share weighs 50 cases: (40 + 2) / 60.
    law = beta(42, 18)
    assert own["share"] == pytest.approx(0.7)
    assert own["share_low"] == pytest.approx(law.ppf(0.05))
    assert outside["share"] == pytest.approx((10 + 8) / 60)
    assert not found.table["is_apart"].any()
    assert found.ask


def test_beside_two_colleagues_no_share_of_theirs_is_shown():
    reps = pd.DataFrame({"rep_id": ["R1", "R2", "R3"], "name": ["A", "B", "C"]})
    rows = [row for rep in ("R1", "R2", "R3") for row in sessions_of(rep, ["own"] * 8)]
    found = coaching_log.readiness(team_with(rows, reps=reps), "R1")
    assert found.table["typical_share"].isna().all()
    assert found.table["share"].iloc[0] == pytest.approx(8.5 / 9)
    assert "cannot be told" in found.headline


def sold(mix, seed=0, skill=0.0):
    """Six reps with 150 deals each; the first gets `mix` cold leads, the others half.

    A cold lead is won by one in ten, a warm one by one in three; the first rep's odds are moved by
    `skill`.
    """
    rng, rows = np.random.default_rng(seed), []
    for rep in range(6):
        is_cold = rng.random(150) < (mix if rep == 0 else 0.5)
        odds = np.where(is_cold, -2.2, -0.7) + (skill if rep == 0 else 0)
        is_won = rng.random(150) < 1 / (1 + np.exp(-odds))
        days = AS_OF - pd.to_timedelta(rng.integers(40, 360, 150), unit="D")
        for i in range(150):
            outcome = "won" if is_won[i] else "lost"
            source = "cold" if is_cold[i] else "warm"
            rows.append(
                deal(f"D{rep}{i:03}", f"R{rep}", days[i], "Qualify", outcome, source=source)
            )
    ids = [f"R{rep}" for rep in range(6)]
    reps = pd.DataFrame({"rep_id": ids, "name": [f"Name {i}" for i in range(6)]})
    return team_of(rows, stages=("Qualify",), reps=reps, coaching=pd.DataFrame(columns=KEYS))


@pytest.mark.parametrize(("mix", "word"), [(0.9, "harder than"), (0.1, "easier than")])
def test_sometimes_the_rep_is_right(mix, word):
    for skill in (-1.0, 0.0, 1.0):
        found = coaching_log.readiness(sold(mix, skill=skill), "R0")
        assert f"The deals of the last year are {word} the others'" in found.headline
        assert found.table["is_apart"].iloc[3]
        typical, others = found.table.loc[3, ["share", "typical_share"]]
        # 90 % cold: .9 x .10 + .1 x .33 = .12; half and half: .215.
        assert typical == pytest.approx(mix_rate(mix), abs=0.06)
        assert others == pytest.approx(mix_rate(0.5), abs=0.05)


def mix_rate(mix):
    return mix / (1 + np.exp(2.2)) + (1 - mix) / (1 + np.exp(0.7))


def test_a_rep_who_loses_alike_deals_is_not_told_that_they_are_hard():
    said = [hardness.hardness(sold(0.5, seed, skill=-1.5), "R0").verdict for seed in range(15)]
    assert said.count("harder") + said.count("easier") <= binom.ppf(0.995, 15, 0.05)
    assert said.count("alike") >= 8


def test_true_odds_of_simulated_deals():
    """Where a difference is named it goes the right way, and intervals hold the true one."""
    plan = Plan(
        seed=3, reps=20, deals_per_rep=150, months=24, as_of=AS_OF, leak_share=0.15,
        leak_shift=(-1.2, -0.5), strength_share=0.1, strength_shift=(0.5, 1.0), skill_sd=0.1,
        coaching_effect=0.35, coached_share=0.0, course_effect=0.2, drop_share=0.2,
            behind_share=0.0, null=False,
    )  # fmt: skip
    team, _ = salesnb.simulate(
        seed=3, reps=20, deals_per_rep=150, coached_share=0.0,
        tables=["accounts", "products", "stage_changes"],
    )  # fmt: skip
    chance = pd.Series(expit(tell(plan).deals.odds).prod(axis=1))
    is_recent = team.deals["created_on"] > AS_OF - pd.Timedelta(days=365)
    n_inside, n_named, n_right, n = 0, 0, 0, 0
    for rep in team.reps["rep_id"]:
        found = hardness.hardness(team, rep)
        if found is None:
            continue
        own = team.deals["rep_id"] == rep
        true = chance[is_recent & own].mean() - chance[is_recent & ~own].mean()
        n, n_inside = n + 1, n_inside + (found.gap_low <= true <= found.gap_high)
        is_named = found.verdict in ("harder", "easier")
        n_named += is_named
        n_right += is_named and (found.verdict == "harder") == (true < 0)
    assert n >= 15
    assert n_inside >= binom.ppf(0.005, n, 0.9)
    assert n_named >= 1
    assert n_right == n_named


def test_too_few_deals_to_tell_whether_they_are_hard():
    assert hardness.hardness(team_with(SIX), "R1") is None
