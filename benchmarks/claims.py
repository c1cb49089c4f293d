"""How well it is seen which claims call notes tell, by language, and at which limit.

Two worlds. Notes of `salesnb.simulate`, where the truth says which claims each note tells, as they
are and with slips of the pen. And the sentences of ``claims.toml``, claims of another trade in
seven languages with near misses, on which the limit was chosen.

    python benchmarks/claims.py              # writes docs/claims_accuracy.md
    python benchmarks/claims.py --seeds 2    # quicker, prints only
"""

import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pages import options, write

import salesnb
from salesnb import once
from salesnb.differentiators import matching
from salesnb.differentiators.telling import telling
from salesnb.differentiators.winning import association
from salesnb.history import look_up
from salesnb.settings import Settings
from salesnb.simulation.words import words
from salesnb.stats import wilson, z
from salesnb.team import Team, of

HERE = Path(__file__).parent
TABLES = ("products", "activities", "differentiators")
LANGUAGES = {"en": "English", "hu": "Hungarian", "de": "German"}
SLIPS = (0.0, 0.02, 0.04)  # share of letters that are wrong
LIMITS = (0.45, 0.48, 0.50, 0.52, 0.54, 0.56, 0.58, 0.60, 0.65)
COPIES = 5  # slips of the same sentence
Told = set[tuple[str, str]]  # activity_id, differentiator_id


@dataclass(frozen=True)
class Score:
    """Claims found and planted, and how many are both."""

    n_right: int
    n_found: int
    n_planted: int

    @classmethod
    def of(cls, found: Told, planted: Told, ends: str = "") -> "Score":
        """The score of the claims whose id ends so."""
        found, planted = ({x for x in each if x[1].endswith(ends)} for each in (found, planted))
        return cls(len(found & planted), len(found), len(planted))

    def __add__(self, other: "Score") -> "Score":
        return Score(
            *(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True))
        )

    @property
    def precision(self) -> float:
        """Of the claims found, planted."""
        return self.n_right / max(self.n_found, 1)

    @property
    def recall(self) -> float:
        """Of the claims planted, found."""
        return self.n_right / max(self.n_planted, 1)

    def said(self, name: str) -> str:
        """Precision or recall with its 90 % interval."""
        n = {"precision": self.n_found, "recall": self.n_planted}[name]
        share = np.array([getattr(self, name)])
        low, high = wilson(share, np.array([n]))
        return f"{share[0]:.3f} ({low[0]:.3f}-{high[0]:.3f})"


def found(team: Team) -> Told:
    """Which claims which notes tell, by the row of the list in the note's language."""
    seen = telling(team)
    row = {(c.group, c.language): c.differentiator_id for c in seen.claims.itertuples()}
    row |= {(c.group, ""): c.differentiator_id for c in seen.claims.itertuples()}
    told = seen.chances[seen.chances["is_told"]]
    each = zip(told["activity_id"], told["group"], told["language"], strict=True)
    return {(activity, row[group, spoken]) for activity, group, spoken in each}


def slip(text: str, share: float, dice: np.random.Generator) -> str:
    """A text with some of its letters left out, doubled, changed or swapped with the next."""
    out = list(text)
    for at in np.flatnonzero(dice.random(len(text)) < share):
        if not text[at].isalpha():
            continue
        kind = dice.integers(4)
        out[at] = ("", text[at] * 2, chr(97 + dice.integers(26)), text[at])[kind]
        if kind == 3 and at:
            out[at - 1], out[at] = out[at], out[at - 1]
    return "".join(out)


def with_slips(team: Team, share: float, seed: int) -> Team:
    """The same team, its notes written in a hurry."""
    if not share:
        return team
    dice, rows = np.random.default_rng(seed), team.activities
    notes = rows["note"].map(lambda text: slip(text, share, dice), na_action="ignore")
    rows["note"] = notes.astype("str")
    return Team(team.settings, {**team.tables, "activities": rows})


def without_wordings(team: Team) -> Team:
    """The same team whose list holds each claim in one way only."""
    listed = team.differentiators.drop(columns="wordings")
    return Team(team.settings, {**team.tables, "differentiators": listed})


def in_own_words(team: Team, planted: Told) -> Told:
    """What was planted, but for what was said in other words altogether."""
    other = {
        f"{c['id']}-{spoken}": c[spoken][-1] for c in words()["claims"] for spoken in LANGUAGES
    }
    notes = dict(zip(team.activities["activity_id"], team.activities["note"], strict=True))
    return {told for told in planted if other[told[1]].casefold() not in notes[told[0]].casefold()}


def simulated(seeds: Iterable[int]) -> dict[tuple[str, str, float], Score]:
    """Scores by what is counted, language and share of slips."""
    scores: dict[tuple[str, str, float], Score] = {}
    for seed in seeds:
        team, truth = salesnb.simulate(seed=seed, tables=TABLES)
        planted = set(truth.notes.itertuples(index=False, name=None))
        own = in_own_words(team, planted)
        for share in SLIPS:
            written = with_slips(team, share, seed)
            listed, bare = found(written), found(without_wordings(written))
            kinds = {"listed": (listed, planted), "own": (bare - (planted - own), own)}
            kinds["other"] = (bare & (planted - own), planted - own)
            for kind, (got, wanted) in kinds.items():
                for spoken in LANGUAGES:
                    score = Score.of(got, wanted, spoken)
                    key = (kind, spoken, share)
                    scores[key] = scores.get(key, Score(0, 0, 0)) + score
    return scores


def sentences() -> list[dict]:
    """The claims of ``claims.toml`` with what says them and what does not."""
    return tomllib.loads((HERE / "claims.toml").read_text(encoding="utf-8"))["claim"]


def of_sentences(share: float, seed: int = 0) -> tuple[Team, Told]:
    """A team whose notes are those sentences, one each: near misses are about the same product."""
    dice = np.random.default_rng(seed)
    notes, planted = [], set()
    copies = COPIES if share else 1
    for number, claim in enumerate(sentences()):
        for says, is_told in [(s, True) for s in claim["says"]] + [
            (s, False) for s in claim["near"]
        ]:
            for _ in range(copies):
                name = f"T{len(notes):04d}"
                notes.append((name, f"D{number}", slip(says, share, dice)))
                if is_told:
                    planted.add((name, f"F{number}-{claim['language']}"))
    return _team(notes), planted


def _team(notes: list[tuple[str, str, str]]) -> Team:
    claims, day = sentences(), pd.Timestamp("2026-06-01")
    number = range(len(claims))
    activities = pd.DataFrame(notes, columns=["activity_id", "deal_id", "note"])
    activities = activities.assign(rep_id="R1", kind="meeting", happens_at=day)
    product = [f"P{i}" for i in number]
    listed = pd.DataFrame(claims)[["language", "claim"]]
    listed["differentiator_id"] = [f"F{i}-{claim['language']}" for i, claim in enumerate(claims)]
    tables = {
        "reps": pd.DataFrame({"rep_id": ["R1"], "name": ["Rep"]}),
        "products": pd.DataFrame({"product_id": product, "name": product}),
        "deals": pd.DataFrame(
            {"deal_id": [f"D{i}" for i in number], "rep_id": "R1", "created_on": day}
        ).assign(product_id=product),
        "activities": activities,
        "differentiators": listed.assign(product_id=product),
    }
    return of(Settings(as_of=pd.Timestamp("2026-06-30")), tables)


def by_limit() -> list[str]:
    """Recall and false alarms on the sentences, at every limit."""
    teams = [of_sentences(share, seed=7) for share in (0.0, 0.05)]
    before, lines = matching.ALIKE, []
    for limit in LIMITS:
        matching.ALIKE = limit
        (team, wanted), (hasty, hasty_wanted) = teams
        once.forget(team), once.forget(hasty)
        got, hasty_got = found(team), found(hasty)
        n_near = sum(len(claim["near"]) for claim in sentences())
        lines.append(
            f"| {limit:.2f} | {Score.of(got, wanted).recall:.3f} "
            f"| {Score.of(hasty_got, hasty_wanted).recall:.3f} "
            f"| {len(got - wanted)} of {n_near} |"
        )
    matching.ALIKE = before
    once.forget(team), once.forget(hasty)
    return lines


def by_language() -> list[str]:
    """The same at the limit that is used, by language."""
    lines, (team, wanted), (hasty, hasty_wanted) = [], of_sentences(0.0), of_sentences(0.05, seed=7)
    got, hasty_got = found(team), found(hasty)
    for spoken in dict.fromkeys(claim["language"] for claim in sentences()):
        own, slips = Score.of(got, wanted, spoken), Score.of(hasty_got, hasty_wanted, spoken)
        n_near = sum(len(c["near"]) for c in sentences() if c["language"] == spoken)
        lines.append(
            f"| {spoken} | {own.n_right} of {own.n_planted} | {slips.n_right} of {slips.n_planted} "
            f"| {own.n_found - own.n_right} of {n_near} |"
        )
    return lines


def naive(team: Team) -> np.ndarray:
    """Log odds ratio / error of each claim from four fields: told in any note before the end."""
    deals = team.deals.set_index("deal_id")
    rows = telling(team).chances
    rows = rows[rows["happens_at"] < look_up(rows["deal_id"], deals["closed_on"])]
    told = rows.groupby(["group", "deal_id"])["is_told"].any().reset_index()
    told["is_won"] = look_up(told["deal_id"], deals["outcome"]).eq("won")
    found = []
    for _, each in told.groupby("group"):
        fields = pd.crosstab(each["is_told"], each["is_won"]).to_numpy() + 0.5
        logs = np.log(fields)
        found.append(
            (logs[0, 0] + logs[1, 1] - logs[0, 1] - logs[1, 0]) / np.sqrt((1 / fields).sum())
        )
    return np.array(found)


def with_odds(team: Team, seed: int, ratio: float = 2.0) -> Team:
    """The same team where deals told the first claim early are won at so many times the odds."""
    seen, deals = telling(team), team.deals
    group = seen.claims.set_index("differentiator_id").loc["F01-en", "group"]
    rows = seen.chances
    first = rows.groupby("deal_id")["happens_at"].min()
    is_early = (rows["happens_at"] - look_up(rows["deal_id"], first)).dt.days < 30
    told = rows.loc[(rows["group"] == group) & is_early & rows["is_told"], "deal_id"]
    is_told = deals["deal_id"].isin(told) & deals["outcome"].notna()
    rate = deals.loc[is_told, "outcome"].eq("won").mean()
    turned = rate * (ratio - 1) / (1 + rate * (ratio - 1))  # of those lost, to be won
    dice = np.random.default_rng(seed).random(len(deals))
    is_turned = is_told & (deals["outcome"] == "lost") & (dice < turned)
    deals["outcome"] = deals["outcome"].mask(is_turned, "won")
    return Team(team.settings, {**team.tables, "deals": deals})


def winning(seeds: Iterable[int]) -> list[str]:
    """Where telling wins nothing, and where it doubles the odds: what `association` says."""
    ours, plain, named, ratio, is_found = [], [], [], [], []
    for seed in seeds:
        team, _ = salesnb.simulate(seed=seed, tables=(*TABLES, "stage_changes", "accounts"))
        table = association(team).table.dropna(subset="odds_ratio")
        error = np.log(table["odds_high"] / table["odds_ratio"]) / z()
        ours += [*(np.log(table["odds_ratio"]) / error)]
        plain += [*naive(team)]
        named.append(table["is_apart"].any())
        first = association(with_odds(team, seed)).table.set_index("differentiator_id")
        ratio.append(first.loc["F01-en", "odds_ratio"])
        is_found.append(first.loc["F01-en", "is_apart"])
    return [
        f"| told in the first 30 days, mix taken into account | {np.mean(np.abs(ours) < z()):.2f} "
        f"| {np.mean(ours):+.2f} | {np.mean(np.abs(ours) > 1.96):.2f} "
        f"| {sum(named)} of {len(named)} teams |",
        f"| told in any note before the end, four fields | {np.mean(np.abs(plain) < z()):.2f} "
        f"| {np.mean(plain):+.2f} | {np.mean(np.abs(plain) > 1.96):.2f} | |",
        f"{np.exp(np.mean(np.log(ratio))):.2f}, named in {sum(is_found)} of {len(is_found)} teams",
    ]


def seconds(n_notes: int = 100_000) -> float:
    """Time for so many notes, no two sentences the same."""
    team, _ = salesnb.simulate(seed=1, reps=60, deals_per_rep=120, tables=TABLES)
    rows = team.activities.dropna(subset=["note", "deal_id"])
    rows = rows.iloc[np.arange(n_notes) % len(rows)].reset_index(drop=True)
    dice = np.random.default_rng(0)
    rows["activity_id"] = [f"T{i}" for i in range(n_notes)]
    rows["note"] = pd.Series([slip(text, 0.04, dice) for text in rows["note"]], dtype="str")
    big = Team(team.settings, {**team.tables, "activities": rows})
    start = time.perf_counter()
    telling(big)
    return time.perf_counter() - start


def main() -> None:
    """Run everything and write the page."""
    n_seeds = options(__doc__, seeds=12).seeds
    limits, spoken = by_limit(), by_language()
    print("\n".join([*limits, *spoken]), flush=True)
    scores, rows = simulated(range(n_seeds)), []
    for (kind, language, share), score in sorted(scores.items()):
        precision = "" if kind == "other" else score.said("precision")
        cells = [LANGUAGES[language], f"{share:.0%}", precision, score.said("recall")]
        rows.append((kind, "| " + " | ".join([*cells, f"{score.n_planted:,}"]) + " |"))
        print(kind, rows[-1][1], flush=True)
    odds = winning(range(n_seeds))
    print("\n".join(odds), flush=True)
    took = seconds()
    print(f"{took:.1f} s", flush=True)
    if n_seeds >= 12:
        parts = {kind: "\n".join(line for k, line in rows if k == kind) for kind, _ in rows}
        given = {"limits": "\n".join(limits), "spoken": "\n".join(spoken), "n": n_seeds}
        given |= {"odds": "\n".join(odds[:2]), "planted_odds": odds[2]}
        write(
            "claims_accuracy.md",
            PAGE_TEXT.format(**given, **parts, took=took, limit=matching.ALIKE),
        )


HEAD = "| | wrong letters | precision | recall | planted |\n|---|---|---|---|---|"
PAGE_TEXT = f"""# How well are told claims seen?

What `differentiators.consistency` sees in call notes. Written by `python benchmarks/claims.py`.
A claim is found in a note if a sentence of it says the claim, or another wording that the list
holds (column `wordings`), in the note's own language. Intervals are 90 %.

## Planted notes

{{n}} teams of 24 reps and two years of `salesnb.simulate`. In three of four cases a claim is told
in its own words, otherwise built and inflected; in the fourth in other words altogether. The list
holds these other words for eight of nine claims, as they are said: a list kept less well finds
less. Other sentences of these notes are much alike and seldom near a claim, which flatters the
precision; the near misses below do not. All that was planted:

{HEAD}
{{listed}}

With a list that holds no other wordings, only what was told in the claim's own words:

{HEAD}
{{own}}

And what was told in other words altogether, with the same list: hardly ever seen. That is what
`differentiators.said_instead` is for: it shows such sentences, and the manager decides whether they
are another wording of the claim.

{HEAD}
{{other}}

## Where the limit comes from

Sentences of another trade that the simulator does not know (`benchmarks/claims.toml`): in the
claim's own words, otherwise built; the same with 5 % of the letters wrong; and near misses, which
share words with the claim and say something else, in notes about the same product. Real notes hold
far fewer near misses than this.

| limit | found | found with slips | near misses taken for the claim |
|---|---|---|---|
{{limits}}

The limit is {{limit}}. By language:

| language | found | found with slips | near misses taken for the claim |
|---|---|---|---|
{{spoken}}

## Beside wins

The same {{n}} teams, in which telling a claim does nothing to a deal: how often the 90 % interval
of the odds ratio holds 1, its mean in standard errors, how often it differs from 1 at p < .05, and
where `differentiators.association` names a claim. Whoever counts every note before the end sees
claims win deals: deals that go well last longer, and have more notes.

| | holds 1 | mean error | p < .05 | names a claim |
|---|---|---|---|---|
{{odds}}

Where deals told the first claim early are won at twice the odds, the mean odds ratio found is
{{planted_odds}}.

## What it cannot see

- Other words: "explained how quickly it is up and running" is not "live in two weeks". Figures in
  words and digits ("two weeks", "2 weeks") are other words too.
- Who said it, and whether it was denied: "they doubt that it is live in two weeks" counts as told.
- What was said and not written down.

100,000 notes without two sentences alike: {{took:.1f}} seconds.
"""

if __name__ == "__main__":
    main()
