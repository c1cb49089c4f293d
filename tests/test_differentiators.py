"""Claims: on record, up to date, told alike, beside wins; and whether notes are read right."""

import importlib.util
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from handmade import AS_OF, team_of
from scipy.stats import fisher_exact
from test_display import HOSTILE
from typer.testing import CliRunner

import salesnb
from salesnb import DataError, differentiators, language
from salesnb.cli import app
from salesnb.differentiators import languages, listed, matching, winning
from salesnb.differentiators.cards import sheets
from salesnb.differentiators.telling import exact_p, telling
from salesnb.report import cards
from salesnb.team import Team

LANGUAGES = ("en", "hu", "de")
TABLES = ("products", "activities", "differentiators")
CLAIM = "live in two weeks without a consultant"


@pytest.fixture(scope="module")
def bench():
    path = Path(__file__).parents[1] / "benchmarks" / "claims.py"
    spec = importlib.util.spec_from_file_location("claims_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def planted():
    """Teams with what was planted in their notes."""
    return [salesnb.simulate(seed=seed, tables=TABLES) for seed in (3, 4)]


def products(**more):
    """Three products, P1 to P3, called A to C."""
    rows = pd.DataFrame({"product_id": ["P1", "P2", "P3"], "name": ["A", "B", "C"]})
    return rows.assign(**more)


def listing(*rows, **more):
    """A list of claims: (differentiator_id, product_id, claim) and further columns."""
    table = pd.DataFrame(rows, columns=["differentiator_id", "product_id", "claim"])
    return table.assign(**more)


def noted(*notes, list_=None, as_of=AS_OF, **tables):
    """A team with these notes, (rep, deal or "", text) or with the day, on deals on product A."""
    rows = [(rep, deal, text, *(day or ("2026-05-04",))) for rep, deal, text, *day in notes]
    made = pd.DataFrame(rows, columns=["rep_id", "deal_id", "note", "happens_at"])
    made["activity_id"] = [f"T{number:04d}" for number in range(len(made))]
    deals = sorted({(deal, rep) for rep, deal, *_ in notes if deal})
    owned = [
        {"deal_id": deal, "rep_id": rep, "created_on": "2026-04-01", "reached": "Demo"}
        | {"outcome": None, "product_id": "P1", "account_id": f"A{deal}"}
        for deal, rep in dict(deals).items()
    ]
    given = {
        "products": products(),
        "activities": made.assign(kind="meeting", deal_id=made["deal_id"].replace("", pd.NA)),
        "differentiators": listing(("F1", "P1", CLAIM)) if list_ is None else list_,
    }
    return team_of(owned, as_of=as_of, **(given | tables))


# On record


def test_coverage_counts_what_each_product_lacks():
    claims = listing(
        ("F1", "P1", "one"), ("F2", "P1", "two"), ("F3-en", "P2", "three"), ("F3-hu", "P2", "három")
    )
    claims = claims.assign(
        proof=["seen", " ", pd.NA, "látott"],
        owner=["X", "X", "", ""],
        language=["", "", "en", "hu"],
    )
    deal = {"deal_id": "D1", "rep_id": "R1", "created_on": "2026-04-01", "reached": "Demo"}
    deals = [deal | {"outcome": None, "amount": 70.0, "product_id": "P3"}]
    deals += [deal | {"deal_id": "D2", "outcome": "won", "amount": 9.0, "product_id": "P3"}]
    found = differentiators.coverage(team_of(deals, products=products(), differentiators=claims))
    rows = found.table.set_index("name")
    assert [*rows.index] == ["C", "A", "B"]  # C lacks a claim and has money open
    assert rows["n_claims"].to_dict() == {"C": 0, "A": 2, "B": 1}
    assert rows["n_no_proof"].to_dict() == {"C": 0, "A": 1, "B": 0}
    assert rows["n_no_owner"].to_dict() == {"C": 0, "A": 0, "B": 1}
    assert rows["lacks"].to_dict() == {"C": "a claim", "A": "proof of 1 of 2 claims", "B": "owner"}
    assert rows.loc["C", "open_amount"] == 70
    assert "C has no reason on record why to choose it (€70 open)" in found.headline


def test_coverage_says_so_where_nothing_is_lacking():
    claims = listing(*((f"F{i}", f"P{i}", "claim") for i in (1, 2, 3)), proof="seen", owner="X")
    found = differentiators.coverage(team_of([], products=products(), differentiators=claims))
    assert found.headline == "All 3 products have a claim, a proof and an owner."
    assert (found.table["lacks"] == "").all()


# Up to date


@pytest.mark.parametrize(
    ("reviewed", "launched", "changed", "why", "since"),
    [
        ("2026-01-10", "2020-01-01", "2026-01-11", "product changed since", "2026-01-11"),
        ("2026-01-10", "2020-01-01", "2026-01-10", "", None),  # checked on the very day
        ("2026-01-10", "2026-02-01", None, "product launched since", "2026-02-01"),
        ("2026-01-10", "2026-08-01", None, "", None),  # not launched yet
        (None, "2020-01-01", None, "never reviewed", "2020-01-01"),
        ("2025-06-29", "2020-01-01", None, "reviewed over 12 months ago", "2026-06-29"),
        ("2025-06-30", "2020-01-01", None, "", None),  # twelve months to the day
    ],
)
def test_a_claim_is_stale(reviewed, launched, changed, why, since):
    days = {"launched_on": pd.Timestamp(launched), "changed_on": pd.Timestamp(changed)}
    claims = listing(("F1", "P1", "one"), reviewed_on=pd.Timestamp(reviewed), owner="Ann")
    found = differentiators.stale(team_of([], products=products(**days), differentiators=claims))
    assert [*found.table["why"]] == ([why] if why else [])
    if why:
        row = found.table.iloc[0]
        assert row["stale_since"] == pd.Timestamp(since)
        assert row["due_on"] == pd.Timestamp("2026-07-14")
        assert row["owner"] == "Ann"
        assert row["next_step"]
        assert why in found.headline
    else:
        assert found.headline.startswith("Up to date")


def test_an_earlier_day_knows_no_later_review_and_no_later_change():
    days = {"changed_on": pd.Timestamp("2026-06-01"), "launched_on": pd.Timestamp("2020-01-01")}
    claims = listing(("F1", "P1", "one"), reviewed_on=pd.Timestamp("2026-03-01"))
    team = team_of([], products=products(**days), differentiators=claims)
    assert [*differentiators.stale(team).table["why"]] == ["product changed since"]
    assert differentiators.stale(team.at("2026-05-31")).table.empty
    assert [*differentiators.stale(team.at("2026-02-28")).table["why"]] == ["never reviewed"]


def test_rows_of_one_claim_that_are_stale_alike_are_one():
    claims = listing(("F1-hu", "P1", "egy"), ("F1-en", "P1", "one"), ("F2", "P1", "two"))
    claims = claims.assign(language=["hu", "en", "en"])
    found = differentiators.stale(team_of([], products=products(), differentiators=claims))
    assert [*found.table["differentiator_id"]] == ["F1-en", "F2"]


# Told


def told(team: Team) -> dict[str, bool]:
    seen = telling(team)
    return dict(zip(seen.chances["activity_id"], seen.chances["is_told"], strict=True))


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("Good talk. We are live in two weeks, without any consultant. Next call Friday.", True),
        ("told them theyre live in two wekes wihtout a consultnt", True),
        ("LIVE IN TWO WEEKS — WITHOUT CONSULTANTS", True),
        ("Follow up in two weeks.", False),
        ("They have a consultant already. Live demo went well.", False),
        ("!!!", None),  # nothing that could tell anything
    ],
)
def test_a_note_tells_a_claim(text, is_told):
    filler = [("R2", "D2", "Good meeting with operations."), ("R2", "D2", "They want references.")]
    found = told(noted(("R1", "D1", text), *filler))
    assert found.get("T0000", False) is bool(is_told)


def test_a_claim_counts_in_notes_of_its_own_language_only():
    claims = listing(
        ("F1-en", "P1", CLAIM), ("F1-hu", "P1", "két hét alatt élesben, tanácsadó nélkül")
    )
    claims = claims.assign(language=["en", "hu-HU"])
    notes = [
        ("R1", "D1", "We said that they are live in two weeks without a consultant."),
        ("R2", "D2", "Mondtam, hogy két hét alatt élesben vannak, tanácsadó nélkül."),
        ("R3", "D3", "Das war ein gutes Gespräch und sie wollen noch eine Woche warten."),
    ]
    team = noted(*notes, list_=claims)
    assert told(team) == {"T0000": True, "T0001": True}  # the German one could not tell it
    table = differentiators.consistency(team).table.set_index("rep_id")
    assert table["differentiator_id"].to_dict() == {"R1": "F1-en", "R2": "F1-hu"}
    assert set(table["claim"]) == set(claims["claim"])


def test_another_wording_counts_once_it_is_listed():
    note = ("R1", "D1", "Explained how quickly it is up and running with their own people.")
    other = "up and running quickly | running with their own people"
    assert not told(noted(note))["T0000"]
    assert told(noted(note, list_=listing(("F1", "P1", CLAIM), wordings=other)))["T0000"]


def test_a_note_on_an_account_belongs_to_its_deal():
    notes = [("R1", "D1", "Short call."), ("R1", "", f"They are {CLAIM}.", "2026-03-20")]
    notes += [("R1", "", f"They are {CLAIM}.", "2026-01-20")]  # long before any deal
    team = noted(*notes)
    activities = team.activities.assign(account_id="AD1")
    team = Team(team.settings, {**team.tables, "activities": activities})
    assert told(team) == {"T0000": False, "T0001": True}


def test_what_lies_ahead_tells_nothing():
    ahead = noted(("R1", "D1", f"They are {CLAIM}.", "2026-07-10"))
    assert told(ahead) == {}


def test_long_notes_without_a_full_stop_are_read_in_pieces():
    words = "and then we talked about the budget and the plan of the year with the board "
    note = words * 3 + CLAIM + " " + words * 3
    assert told(noted(("R1", "D1", note), ("R2", "D2", words)))["T0000"]
    assert all(
        len(piece.split()) <= matching.LONGEST for piece in matching.split(pd.Series([note]))
    )


def test_the_language_of_a_text_is_told_by_its_words_and_its_author():
    known = languages.common_words()
    text = np.array(["the plan is with them", "a terv és az ár", "ok", "おはよう"], dtype=object)
    found = matching.sentences(text).languages(known)
    by = pd.Series(["x", "y", "y", "x"])
    spoken = languages.likeliest(found, [*known], by, np.array([1, 1, 1, 0]))
    assert [*spoken] == ["en", "hu", "hu", ""]
    one_word = matching.sentences(np.array(["no time"], dtype=object)).languages(known)
    alone = pd.Series(["x"]), np.ones(1)
    assert [*languages.likeliest(one_word, [*known], *alone)] == ["es"]
    assert [*languages.likeliest(one_word, [*known], *alone, home=["en"])] == ["en"]
    assert [*languages.code(pd.Series(["HU", "en-GB", pd.NA, "1"], dtype="str"))] == [
        "hu",
        "en",
        "",
        "",
    ]


@pytest.mark.parametrize("share", [0.0, 0.03])
def test_planted_claims_are_found_in_every_language(bench, planted, share):
    total = dict.fromkeys(LANGUAGES, bench.Score(0, 0, 0))
    own = dict(total)
    for number, (team, truth) in enumerate(planted):
        wanted = set(truth.notes.itertuples(index=False, name=None))
        got = bench.found(bench.with_slips(team, share, number))
        in_own_words = bench.in_own_words(team, wanted)
        for spoken in LANGUAGES:
            total[spoken] += bench.Score.of(got, wanted, spoken)
            own[spoken] += bench.Score.of(got & in_own_words, in_own_words, spoken)
    for spoken in LANGUAGES:
        assert total[spoken].n_planted > 200
        assert total[spoken].precision >= 0.97
        assert total[spoken].recall >= 0.9
        assert own[spoken].recall >= 0.9


def test_what_is_said_in_other_words_is_not_seen_and_nothing_claims_so(bench, planted):
    team, truth = planted[0]
    wanted = set(truth.notes.itertuples(index=False, name=None))
    other = wanted - bench.in_own_words(team, wanted)
    got = bench.found(bench.without_wordings(team))
    assert len(got & other) < 0.05 * len(other)
    assert any("other words" in caveat for caveat in differentiators.consistency(team).caveats)


def test_claims_of_another_trade_in_seven_languages(bench):
    team, wanted = bench.of_sentences(0.0)
    got = bench.found(team)
    n_near = sum(len(claim["near"]) for claim in bench.sentences())
    assert len(got & wanted) >= 0.97 * len(wanted)
    assert len(got - wanted) <= 0.15 * n_near
    for claim in {claim["language"] for claim in bench.sentences()}:
        assert {name for _, name in got if name.endswith(claim)}


# Told alike


def test_consistency_is_counted_on_paper():
    notes = [("R1", "D1", f"They are {CLAIM}.")] * 3 + [("R1", "D1", "Short call, no time.")]
    notes += [("R2", "D2", "Short call, no time.")] * 2
    found = differentiators.consistency(noted(*notes))
    rows = found.table.set_index("rep_id")
    assert rows["n_notes"].to_dict() == {"R1": 4, "R2": 2}
    assert rows["n_told"].to_dict() == {"R1": 3, "R2": 0}
    assert rows.loc["R1", "told_rate"] == 0.75
    # Wilson: (p + z2/2n -+ z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n) with z = 1.645, n = 4
    assert rows.loc["R1", ["told_low", "told_high"]].to_list() == pytest.approx(
        [0.356, 0.942], abs=1e-3
    )
    assert rows["others_rate"].isna().all()  # the other rep alone would be a person
    assert not rows["is_apart"].any()
    assert "nobody differs" in found.headline


def test_the_exact_p_value_is_fishers_with_half_the_middle():
    k, n, other_k, other_n = (
        np.array(each) for each in ([1, 9, 5], [10, 10, 10], [30, 30, 50], [60] * 2 + [100])
    )
    for place, p in enumerate(exact_p(k, n, other_k, other_n)):
        cells = [[k[place], n[place] - k[place]], [other_k[place], other_n[place] - other_k[place]]]
        sides = [fisher_exact(cells, alternative=side).pvalue for side in ("less", "greater")]
        middle = sides[0] + sides[1] - 1
        assert p == pytest.approx(min(1, 2 * (min(sides) - middle / 2)))


def drawn(rates, seed, n=25):
    """A team whose reps tell the claim at these rates."""
    dice, notes = np.random.default_rng(seed), []
    for number, rate in enumerate(rates):
        for text in np.where(dice.random(n) < rate, f"They are {CLAIM}.", "Short call, no time."):
            notes.append((f"R{number:02d}", f"D{number:02d}", str(text)))
    names = {"rep_id": [f"R{i:02d}" for i in range(len(rates))]}
    reps = pd.DataFrame(names | {"name": [f"Rep number {i:02d}" for i in range(len(rates))]})
    return noted(*notes, reps=reps)


def test_where_all_tell_it_alike_nobody_is_named():
    n_named = [
        differentiators.consistency(drawn([0.5] * 12, seed)).table["is_apart"].any()
        for seed in range(12)
    ]
    assert sum(n_named) <= 2


def test_who_does_not_tell_it_is_found():
    n_others = 0
    for seed in range(5):
        team = drawn([0.8] * 9 + [0.05], seed)
        found = differentiators.consistency(team)
        named = set(found.table.loc[found.table["is_apart"], "rep_id"])
        assert "R09" in named
        n_others += len(named - {"R09"})
        assert f"{len(named)} of 10 reps differ" in found.headline
        own = differentiators.consistency(team, rep="R09")
        assert "Rep number 09: tells “live" in own.headline
        assert own.ask
    assert n_others <= 2


def test_those_who_differ_are_those_planted(planted):
    right, n = 0, 0
    for team, truth in planted:
        table = differentiators.consistency(team, months=24).table
        rate = truth.claims.set_index(["rep_id", "differentiator_id"])["tell_rate"]
        rows = table[table["is_apart"]]
        keys = pd.MultiIndex.from_frame(rows[["rep_id", "differentiator_id"]])
        true = rate.reindex(keys).to_numpy()
        right += ((true > 0.4) == (rows["told_rate"] > rows["others_rate"])).sum()
        n += len(rows)
        many = table[table["n_notes"] >= 15]
        keys = pd.MultiIndex.from_frame(many[["rep_id", "differentiator_id"]])
        assert np.corrcoef(rate.reindex(keys), many["told_rate"])[0, 1] > 0.9
    assert n > 80
    assert right >= 0.97 * n


# Said instead


def test_what_comes_back_on_one_product_alone_is_shown(planted):
    team, _ = planted[0]
    table = differentiators.said_instead(team, months=24).table
    said = table.loc[table["product"] == "Launch days", "instead"]
    assert {"Nem az ő kockázatuk, ha tovább tart.", "No risk for them if it takes longer."} & {
        *said
    }
    boilerplate = {"They want references.", "Referenciát kérnek.", "Budget steht noch nicht fest."}
    assert not boilerplate & {*table["instead"]}
    known = telling(team).said
    claims = set(known.loc[known["is_claim"], "sentence"])
    assert not claims & set(table["instead"])


def test_slips_of_one_sentence_are_one_way_of_saying_it():
    ways = ["They love the blue lamp on top", "they loved the blue lamp on the top"]
    ways += ["They love the bleu lamp on top"]
    notes = [("R1", "D1", f"Short call. {way}.") for way in ways * 2]
    table = differentiators.said_instead(noted(*notes)).table
    assert table["n_said"].max() == 6
    assert len(table[table["instead"].str.contains("lamp")]) == 1


def test_a_reps_own_words_name_no_colleague():
    notes = [("R1", "D1", "Bob Braun loves the blue lamp, R2 too.")] * 4
    team = noted(*notes, ("R2", "D2", "Ágnes Kiss loves it."))
    for found in (
        differentiators.said_instead(team, rep="R1"),
        differentiators.consistency(team, rep="R1"),
    ):
        assert "a colleague loves the blue lamp" in found.table["instead"].iloc[0]
        assert "Bob" not in str(found)


# Beside wins


def decided(n, told, won, note_day="2026-01-10", closed="2026-04-01"):
    """Deals on product A with a note each: the first `told` tell the claim, `won` of each side."""
    deals, notes = [], []
    for number in range(n):
        is_told = number < told
        is_won = (number if is_told else number - told) < won[0 if is_told else 1]
        deals.append(
            {"deal_id": f"D{number:03d}", "rep_id": "R1", "created_on": pd.Timestamp("2026-01-02")}
            | {"product_id": "P1", "closed_on": pd.Timestamp(closed)}
            | {"outcome": "won" if is_won else "lost"}
        )
        text = f"They are {CLAIM}." if is_told else "Short call, no time."
        notes.append((f"D{number:03d}", text, pd.Timestamp(note_day)))
    made = pd.DataFrame(notes, columns=["deal_id", "note", "happens_at"])
    made = made.assign(activity_id=made["deal_id"], rep_id="R1", kind="meeting")
    given = {"products": products(), "differentiators": listing(("F1", "P1", CLAIM))}
    team = team_of([], **given, activities=made.iloc[:0])
    deals = pd.DataFrame(deals)
    tables = {**team.tables, "deals": deals, "activities": made}
    return salesnb.team.of(team.settings, {k: v for k, v in tables.items() if k != "stage_changes"})


def test_the_odds_are_those_of_the_four_fields():
    found = differentiators.association(decided(800, 400, (240, 160)))
    row = found.table.iloc[0]
    assert (row["n_told"], row["n_untold"]) == (400, 400)
    assert (row["win_rate"], row["other_rate"]) == (0.6, 0.4)
    # (240/160) / (160/240) = 2.25; the error of its log is sqrt(sum of 1/n) = 0.1443
    assert row["odds_ratio"] == pytest.approx(2.25, rel=0.02)
    assert row["odds_low"] == pytest.approx(2.25 * np.exp(-1.645 * 0.1443), rel=0.02)
    assert row["is_apart"]
    assert "whatever the cause" in found.headline
    assert any("not a cause" in caveat for caveat in found.caveats)


def test_few_deals_say_nothing_of_odds():
    found = differentiators.association(decided(20, 9, (9, 0)))
    assert found.table[["odds_ratio", "odds_low", "odds_high"]].isna().all(axis=None)
    assert not found.table["is_apart"].any()
    assert found.headline.startswith("Too few")


def test_deals_that_end_before_telling_could_count_are_left_out():
    assert (
        differentiators.association(decided(40, 20, (10, 10), closed="2026-02-08")).table["n_told"][
            0
        ]
        == 0
    )
    assert (
        differentiators.association(decided(40, 20, (10, 10), closed="2026-02-12")).table["n_told"][
            0
        ]
        == 20
    )
    after = decided(40, 20, (10, 10), note_day="2026-05-01")
    assert differentiators.association(after).table["n_told"][0] == 0


def test_where_telling_wins_nothing_no_claim_is_named():
    wide = (*TABLES, "stage_changes", "accounts")
    z = []
    for seed in range(3):
        team, _ = salesnb.simulate(seed=seed, reps=16, tables=wide)
        table = differentiators.association(team).table.dropna(subset="odds_ratio")
        assert table["is_apart"].sum() <= 1
        error = np.log(table["odds_high"] / table["odds_ratio"]) / 1.645
        z += [*(np.log(table["odds_ratio"]) / error)]
    assert abs(np.mean(z)) < 0.5  # counted up to the end, told deals would look better won: 1.7
    assert np.mean(np.abs(z) < 1.645) > 0.8


# The card, its sheet and the quiz


def test_a_card_has_one_line_for_each_claim_and_for_each_product_without(demo):
    found = differentiators.card(demo)
    assert found.table["product"].nunique() == len(demo.products)
    assert (
        found.table["claim"].notna().sum()
        == demo.differentiators["differentiator_id"].str[:3].nunique()
    )
    assert found.table["question"].str.endswith("?").all()
    bare = found.table[found.table["claim"].isna()]
    assert [*bare["product"]] == ["Pocket"]
    assert (bare["n_notes"] == 0).all()
    alone = differentiators.card(demo, product="flow service")
    assert set(alone.table["product"]) == {"Flow Service"}
    assert set(alone.table["freshness"]) == {"product changed since"}
    with pytest.raises(DataError, match="no product 'Flow Servise'"):
        differentiators.card(demo, product="Flow Servise")


def test_a_card_needs_no_notes(demo):
    team = Team(demo.settings, {k: v for k, v in demo.tables.items() if k != "activities"})
    found = differentiators.card(team)
    assert found.table["told_rate"].isna().all()
    assert "no call note" in found.headline


def test_every_opening_question_is_open_and_in_its_language():
    closed = "Did|Do|Does|Is|Are|Was|Were|Have|Has|Can|Could|Will|Would|Should"
    for spoken, parts in differentiators.asked.bank().items():
        assert set(parts) == {"opening", "quiz"}
        assert set(parts["opening"]) == {"competitor", "proof", "plain"}
        assert set(parts["quiz"]) == set(differentiators.quizzes.ASKS)
        for question in [q for kind in parts["opening"].values() for q in kind]:
            assert question.endswith("?")
            assert spoken != "en" or not re.match(rf"({closed})\b", question)
        assert spoken in languages.common_words()


def test_a_sheet_for_each_product(demo, tmp_path):
    path = cards.write(Path(__file__).parents[1] / "data" / "demo", tmp_path)
    html = path.read_text(encoding="utf-8")
    assert path == tmp_path / "2026-06-30" / "cards.html"
    assert html.count('<section class="card"') == len(demo.products)
    assert "in zwei Wochen live, ohne Berater" in html
    assert "In Hungarian" in html
    assert "No reason on record yet" in html
    assert "http" not in html.replace("http-equiv", "")
    assert len(html) < 100_000


def test_the_sheets_can_be_had_from_the_command_line(tmp_path):
    source = str(Path(__file__).parents[1] / "data" / "demo")
    command = ["cards", source, "--product", "Insight", "--output", str(tmp_path)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    html = Path(done.output.strip()).read_text(encoding="utf-8")
    assert html.count('<section class="card"') == 1


def test_what_stands_on_a_sheet_is_never_markup(tmp_path):
    hostile = listing(*((f"F{i}", "P1", text) for i, text in enumerate(HOSTILE)), proof=HOSTILE[0])
    team = team_of([], products=products(), differentiators=hostile)
    team.save(tmp_path / "data", format="csv")
    html = cards.write(tmp_path / "data", tmp_path).read_text(encoding="utf-8")
    assert "<script" not in html
    assert len(sheets(team)) == len(HOSTILE) + 2


def test_a_quiz_is_the_same_on_the_same_day(demo):
    one, other = differentiators.quiz(demo).table, differentiators.quiz(demo).table
    pd.testing.assert_frame_equal(one, other)
    assert len(one) == 10
    assert not one["question"].duplicated().any()
    assert not differentiators.quiz(demo, seed=1).table.equals(one)
    assert not differentiators.quiz(demo.at("2026-05-31")).table.equals(one)
    assert "answer" not in differentiators.quiz(demo, answers=False).table


def test_the_quiz_is_in_the_language_of_the_page(demo):
    with language.spoken("hu"):
        found = differentiators.quiz(demo)
    assert found.table.equals(differentiators.quiz(demo, language="hu").table)
    assert not found.table.equals(differentiators.quiz(demo).table)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_right_answer_is_one_and_the_wrong_ones_are_of_other_products(demo, language, seed):
    table = differentiators.quiz(demo, language=language, seed=seed).table
    claims = listed.one_each(listed.claims(demo), language)
    assert set(table["kind"]) == {"choice", "open"}
    for row in table[table["kind"] == "choice"].itertuples():
        options = row.options.split(" | ")
        assert len(options) in (3, 4)
        assert options.count(row.answer) == 1
        own = claims[claims["product"] == row.product]
        for column in ("claim", "proof", "competitor"):
            assert len(set(options) & set(own[column].dropna())) <= 1
    assert (table.loc[table["kind"] == "open", "options"] == "").all()
    in_language = demo.differentiators.query("language == @language")["claim"]
    asked = " ".join([*table["question"], *table["answer"]])
    assert sum(claim in asked for claim in in_language) >= 5


def test_a_list_of_one_claim_makes_open_questions():
    team = team_of([], products=products(), differentiators=listing(("F1", "P1", "one"), proof="p"))
    table = differentiators.quiz(team).table
    assert set(table["kind"]) == {"open"}
    assert [*table["answer"]] == ["one", "p"]


def test_the_effect_is_that_of_a_logistic_regression():
    sm = pytest.importorskip("statsmodels.api")
    dice = np.random.default_rng(5)
    told, other = dice.random(900) < 0.4, dice.normal(size=900)
    won = (dice.random(900) < 1 / (1 + np.exp(0.3 - 0.7 * told - 0.4 * other))).astype(float)
    found = winning.effect(won, told.astype(float), winning.sparse.csr_array(other[:, None]))
    fit = sm.Logit(won, np.column_stack([np.ones(900), told, other])).fit(disp=0)
    assert found == pytest.approx((fit.params[1], fit.bse[1]), rel=0.03)


def test_demo_has_material_for_every_question(demo):
    lacks = differentiators.coverage(demo).table["lacks"]
    assert {"a claim", "proof", "owner"} <= set(lacks)
    assert len(differentiators.stale(demo).table)
    assert differentiators.consistency(demo).table["is_apart"].any()
    ways = differentiators.said_instead(demo).table
    assert len(ways)
    assert all(a <= b for a, b in pairwise(ways["product"].map([*demo.products["name"]].index)))
