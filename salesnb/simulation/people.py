"""The reps: who they are, when they work, how fast and how well they sell."""

from dataclasses import dataclass
from string import ascii_uppercase

import numpy as np
import pandas as pd

from salesnb.simulation.clock import Clock, clock, dates, office_days
from salesnb.simulation.plan import STAGES, Plan
from salesnb.simulation.words import ids, pick, spelled, words

NEW_SHARE, LEAVER_SHARE, PEER_SHARE = 0.2, 0.1, 0.12
HIRES, HIRES_SHARE = 8, 1 / 3  # as many a small team has, if they are not more of it than that
MONTH = 30.44
ROLES = (
    "Junior Account Executive",
    "Account Executive",
    "Senior Account Executive",
    "Sales Manager",
)
RAMP_LOGIT, RAMP_ENERGY, RAMP_MONTHS = -0.6, 0.6, 2.5  # what lacks on the first day fades
SLOW_SHARE, SLOW = 0.08, (1.6, 2.2)  # of rep x stage cells, times the typical days
LATE_SHARE, LATE = 0.12, (1.7, 2.3)  # of reps, times the typical days to close a lost deal
DROP_FACTOR, DROP_DAYS = (0.3, 0.6), (56, 120)
BEHIND, BEHIND_DAYS = (0.2, 0.3), (84, 365)  # of meetings booked; days since the hire
PAST_HIRES = 5  # who must have come before, for anybody to see who is behind


@dataclass(frozen=True)
class People:
    """The reps as arrays, one entry or row per rep; days are day numbers.

    hired, left : first and last day; hired may lie before day 0, left is NaN for who stays
    desk : since when there is work for the rep; before `hired` for who took over a desk
    heir : who takes over the deals when the rep leaves (an index, own index for who stays)
    leave : rep, first and last day of each absence
    is_office : days on which the rep would work (reps x days); is_open : and there is a desk;
        is_there : and the rep is employed
    energy : how much the rep does, against the typical rep
    shift, is_leak, is_strength, speed : reps x stages; hygiene : how late lost deals are closed
    drops : rep, first and last day, factor on meetings booked
    pace : meetings booked against others after as long on the team; 1 but for who is behind
    """

    rep_id: np.ndarray
    name: np.ndarray
    region: np.ndarray
    was_peer: np.ndarray
    hired: np.ndarray
    desk: np.ndarray
    left: np.ndarray
    heir: np.ndarray
    leave: pd.DataFrame
    is_office: np.ndarray
    is_open: np.ndarray
    is_there: np.ndarray
    clock: Clock
    energy: np.ndarray
    shift: np.ndarray
    is_leak: np.ndarray
    is_strength: np.ndarray
    speed: np.ndarray
    hygiene: np.ndarray
    drops: pd.DataFrame
    pace: np.ndarray

    @property
    def manager(self) -> int:
        """Who stopped selling to lead the team: a former team-mate; -1 where none has left."""
        promoted = np.flatnonzero(self.was_peer & ~np.isnan(self.left))
        return int(promoted[0]) if len(promoted) else -1

    def share_done(self) -> np.ndarray:
        """How much of the work of each desk its rep does (reps x days); colleagues do the rest."""
        reps, days = self.is_there.shape
        rep, day = np.arange(reps)[:, None], np.arange(days)
        took_over = (self.hired > self.desk)[:, None]
        ramp = ramped(self.months_in(rep, day))
        return np.where(took_over, ramp * (day >= self.hired[:, None]), 1) * self.pace[:, None]

    def months_in(self, rep: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Tenure in months."""
        return np.maximum(day - self.hired[rep], 0) / MONTH

    def owner(self, rep: np.ndarray, moment: np.ndarray) -> np.ndarray:
        """Who owns at `moment` what `rep` took on: the rep, or the heir once the rep has left."""
        return np.where(moment >= self.left[rep] + 1, self.heir[rep], rep)


def ramped(months: np.ndarray) -> np.ndarray:
    """How much of a tenured rep's meetings somebody books after so many months."""
    return 1 - RAMP_ENERGY * np.exp(-months / RAMP_MONTHS)


def people(plan: Plan) -> People:
    """Draw the reps."""
    hired, desk, left, heir = _careers(plan)
    leave = _leave(plan, desk, left)
    is_office = np.tile(office_days(plan), (plan.reps, 1))
    for rep, first, last in leave.to_numpy(int):
        is_office[rep, max(first, 0) : last + 1] = False
    day = np.arange(plan.horizon)
    is_open = is_office & (day >= desk[:, None]) & ~(day > left[:, None])
    region, was_peer = _places(plan, hired)
    return People(
        rep_id=np.array(ids("R", plan.reps)),
        name=_names(plan),
        region=region,
        was_peer=was_peer,
        hired=hired,
        desk=desk,
        left=left,
        heir=heir,
        leave=leave[leave["first"] >= hired[leave["rep"]]],
        is_office=is_office,
        is_open=is_open,
        is_there=is_open & (day >= hired[:, None]),
        clock=clock(is_office),
        drops=_drops(plan, hired, desk, left),
        pace=_pace(plan, hired),
        **_skills(plan),
    )


def reps_table(plan: Plan, who: People) -> pd.DataFrame:
    """The table `reps`."""
    years = who.months_in(np.arange(plan.reps), np.full(plan.reps, plan.n_days)) / 12
    role = np.digitize(years, [1, 5])
    if who.manager >= 0:
        role[who.manager] = len(ROLES) - 1
    return pd.DataFrame(
        {
            "rep_id": spelled(who.rep_id),
            "name": spelled(who.name),
            "hired_on": dates(plan, who.hired),
            "left_on": dates(plan, who.left),
            "role": spelled(ROLES, role),
            "region": spelled(list(words()["regions"]), who.region),
            "was_peer": pd.array(who.was_peer, dtype="boolean"),
        }
    )


def absences_table(plan: Plan, who: People) -> pd.DataFrame:
    """The table `absences`, planned leave included."""
    return pd.DataFrame(
        {
            "rep_id": spelled(who.rep_id, who.leave["rep"].to_numpy()),
            "starts_on": dates(plan, who.leave["first"].to_numpy(float)),
            "ends_on": dates(plan, who.leave["last"].to_numpy(float)),
        }
    )


def _careers(plan: Plan) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """First day, first day of the desk, last day, and heir."""
    dice, n = plan.dice("careers"), plan.reps
    order = dice.permutation(n)
    n_new, n_left = round(NEW_SHARE * n), round(LEAVER_SHARE * n)
    new, leavers = order[:n_new], order[n_new : n_new + n_left]
    years_before = np.exp(dice.normal(np.log(3), 0.6, n))
    hired = np.floor(-150 - 365 * years_before)
    hired[new] = np.floor(dice.uniform(60, plan.n_days - 45, n_new))
    left = np.full(n, np.nan)
    left[leavers] = np.floor(dice.uniform(0.4, 0.92, n_left) * plan.n_days)
    heir = np.arange(n)
    stayers = order[n_new + n_left :]
    heir[leavers] = dice.choice(stayers, n_left)
    # Early hires, so that somebody has come before the latest ones: at desks that were there.
    desk = hired.copy()
    n_more = max(0, min(HIRES, int(HIRES_SHARE * n)) - n_new)
    more = stayers[~np.isin(stayers, heir[leavers])][:n_more]
    hired[more] = np.floor(dice.uniform(60, plan.n_days / 2, len(more)))
    return hired, desk, left, heir


def _places(plan: Plan, hired: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    dice = plan.dice("places")
    shares = np.array([region["share"] for region in words()["regions"].values()])
    region = pick(dice, shares, plan.reps)
    was_peer = (hired < 0) & (dice.random(plan.reps) < PEER_SHARE / (1 - NEW_SHARE))
    return region, was_peer


def _names(plan: Plan) -> np.ndarray:
    """Different names, drawn by nationality; a family name comes twice only when all are taken.

    Once all names are taken, initials in the middle tell people apart.
    """
    dice, pool = plan.dice("names"), words()["people"]
    rows = [
        (given, family, share / len(pool["given"][nation]) / len(families))
        for nation, share in pool["share"].items()
        for families in [pool["family"][nation]]
        for given in pool["given"][nation]
        for family in families
    ]
    names = pd.DataFrame(rows, columns=["given", "family", "share"])
    # The largest keys are a draw without replacement (Efraimidis and Spirakis 2006).
    names["key"] = np.log(dice.random(len(names))) / names["share"]
    names = names.sort_values("key", ascending=False, kind="stable")
    order = names.groupby("family").cumcount().sort_values(kind="stable").index
    given, family = (names.loc[order, part].to_numpy(object) for part in ("given", "family"))
    middles = ["", *(f" {letter}." for letter in ascii_uppercase)]
    rounds = middles[: -(-plan.reps // len(names))]
    return np.concatenate([given + middle + " " + family for middle in rounds])[: plan.reps]


def _leave(plan: Plan, desk: np.ndarray, left: np.ndarray) -> pd.DataFrame:
    """Summer fortnights, days around Christmas, a week, sick days, now and then long leave."""
    dice = plan.dice("leave")
    rows = []
    for rep in range(plan.reps):
        for year in range(plan.days[0].year, plan.days[-1].year + 1):
            summer = plan.day_of(f"{year}-06-22") + int(dice.integers(0, 9)) * 7
            week = plan.day_of(f"{year}-01-15") + int(dice.integers(0, 300))
            christmas = plan.day_of(f"{year}-12-22") + int(dice.integers(0, 6))
            sick = plan.day_of(f"{year}-01-05") + dice.integers(0, 350, 2)
            spans = [(summer, int(dice.choice([7, 12, 14]))), (week, 5), (christmas, 9)]
            spans += [(int(day), int(dice.integers(1, 5))) for day in sick]
            if dice.random() < 0.03:
                spans.append((week + 30, int(dice.integers(40, 75))))
            rows += [(rep, first, first + days - 1) for first, days in spans]
    leave = pd.DataFrame(rows, columns=["rep", "first", "last"])
    is_known = (leave["last"] >= 0) & (leave["last"] < plan.horizon)
    is_employed = (leave["first"] >= desk[leave["rep"]]) & ~(leave["last"] > left[leave["rep"]])
    leave = leave[is_known & is_employed].sort_values(["rep", "first", "last"])
    is_first = leave["first"] > leave.groupby("rep")["last"].cummax().groupby(leave["rep"]).shift()
    is_only = ~leave["rep"].duplicated()
    return leave[is_first | is_only].reset_index(drop=True)


def _skills(plan: Plan) -> dict[str, np.ndarray]:
    """Skill, speed and hygiene; a null plan has the typical rep only."""
    dice, n, k = plan.dice("skills"), plan.reps, len(STAGES)
    shift = dice.normal(0, plan.skill_sd, (n, k))
    cells = dice.permutation(n * k)
    n_leaks, n_strengths = round(plan.leak_share * n * k), round(plan.strength_share * n * k)
    is_leak, is_strength = np.zeros((n, k), bool), np.zeros((n, k), bool)
    is_leak.flat[cells[:n_leaks]] = True
    is_strength.flat[cells[n_leaks : n_leaks + n_strengths]] = True
    shift = np.where(is_leak, dice.uniform(*plan.leak_shift, (n, k)), shift)
    shift = np.where(is_strength, dice.uniform(*plan.strength_shift, (n, k)), shift)
    speed = np.exp(dice.normal(0, 0.1, (n, k)))
    speed = np.where(dice.random((n, k)) < SLOW_SHARE, dice.uniform(*SLOW, (n, k)), speed)
    hygiene = np.where(dice.random(n) < LATE_SHARE, dice.uniform(*LATE, n), 1.0)
    energy = np.exp(dice.normal(0, 0.18, n))
    if plan.null:
        none = np.zeros((n, k), bool)
        shift, is_leak, is_strength = np.zeros((n, k)), none, none
        speed, hygiene = np.ones((n, k)), np.ones(n)
    cells_of = {"shift": shift, "is_leak": is_leak, "is_strength": is_strength, "speed": speed}
    return {**cells_of, "hygiene": hygiene, "energy": energy}


def _drops(plan: Plan, hired: np.ndarray, desk: np.ndarray, left: np.ndarray) -> pd.DataFrame:
    """Weeks in which a rep books fewer meetings; every other drop still lasts on `as_of`."""
    dice = plan.dice("drops")
    tenured = dice.permutation(np.flatnonzero((desk < 0) & np.isnan(left)))
    tenured = tenured[hired[tenured] < 0]
    n = 0 if plan.null else min(round(plan.drop_share * plan.reps), len(tenured))
    rep = np.sort(tenured[:n])
    days = dice.integers(*DROP_DAYS, n)
    latest = plan.n_days - np.where(np.arange(n) % 2 == 0, 42, days)
    earliest = np.where(np.arange(n) % 2 == 0, latest - 42, 120)
    first = np.floor(dice.uniform(earliest, np.maximum(latest, earliest + 1)))
    first -= plan.weekday(first)
    last = np.minimum(first + days - 1, plan.n_days - 1)
    last -= plan.weekday(last + 1)
    still = np.arange(n) % 2 == 0
    return pd.DataFrame(
        {
            "rep": rep,
            "first": first.astype(int),
            "last": np.where(still, plan.n_days - 1, last).astype(int),
            "factor": dice.uniform(*DROP_FACTOR, n),
        }
    )


def _pace(plan: Plan, hired: np.ndarray) -> np.ndarray:
    """Some of the last year's hires book far fewer meetings than hires before them did."""
    dice, pace = plan.dice("pace"), np.ones(plan.reps)
    days, is_hire = plan.n_days - hired, hired >= 0
    n_before = (is_hire & (hired < hired[:, None])).sum(axis=1)
    least, most = BEHIND_DAYS
    new = np.flatnonzero((days >= least) & (days <= most) & (n_before >= PAST_HIRES))
    behind = dice.permutation(new)[: int(np.ceil(plan.behind_share * len(new)))]
    pace[behind] = dice.uniform(*BEHIND, len(behind))
    return pace
