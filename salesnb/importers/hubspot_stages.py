"""The stages of HubSpot's pipelines: what they are called, which are closed, in which order."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from salesnb.importers import deal_log, objects, stage_history, vendor
from salesnb.importers.source import Source, Sources, named
from salesnb.importers.vendor import Made

VENDOR = "hubspot"
LAST = re.compile(r" \((?P<pipeline>(?:[^()]|\([^()]*\))+)\)$")
OPEN, WON, LOST = "open", "won", "lost"


@dataclass(frozen=True, eq=False)
class Stages:
    """The stages that the export lists.

    rows : id, name, pipeline (its id), order, means (open, won, lost), is_gone (deleted since)
    pipelines : the name of each pipeline by id
    """

    rows: pd.DataFrame
    pipelines: Mapping[str, str]

    def name(self, stage: pd.Series) -> pd.Series:
        """What stages are called, by id or by ``Demo (Sales Pipeline)``."""
        by_id = named(stage, dict(zip(self.rows["id"], self.rows["name"], strict=True)))
        bare = named(stage, {each: self.bare(each)[0] for each in stage.dropna().unique()})
        return by_id.fillna(bare)

    def bare(self, name: str) -> tuple[str, str]:
        """A stage and its pipeline out of one label; no pipeline where none is known by it."""
        for pipeline in sorted(self.pipelines.values(), key=len, reverse=True):
            if name.endswith(f" ({pipeline})"):
                return name.removesuffix(f" ({pipeline})"), pipeline
        return name, ""

    def meaning(self, stage: pd.Series) -> pd.Series:
        """Open, won or lost, as the list says, else as the stage is called; missing if neither."""
        rows = self.rows
        by_id = dict(zip(rows["id"], rows["means"], strict=True))
        alike = rows.drop_duplicates(["name", "means"]).drop_duplicates("name", keep=False)
        known = {**dict(zip(alike["name"], alike["means"], strict=True)), **by_id}
        called = vendor.meant(self.name(stage), vendor.words(VENDOR, "stages"))
        return named(stage, known).fillna(named(self.name(stage), known)).fillna(called)

    def pipeline_of(self, stage: pd.Series) -> pd.Series:
        """The pipeline of stages, by name; missing where the export does not tell."""
        by_id = dict(zip(self.rows["id"], self.rows["pipeline"], strict=True))
        found = named(stage, by_id)
        return named(found, self.pipelines).fillna(found)


def read(made: Made, sources: Sources) -> Stages:
    """The stages and pipelines that the export lists."""
    source, pipelines = sources["deal_pipeline_stage"], sources["deal_pipeline"]
    names = dict(zip(pipelines.text("pipeline_id"), pipelines.text("label"), strict=True))
    for each, what in ((source, "stages"), (pipelines, "pipelines")):
        if each.names:
            made.counts.append(vendor.count(what, each, len(each.rows), {}))
    deals = sources["deals"]
    said = [*deals.text("pipeline").dropna().unique(), *_in_labels(deals.table.rows.columns)]
    listed = {key: name for key, name in names.items() if pd.notna(key) and pd.notna(name)}
    names = {**{each: each for each in said}, **listed}
    ids, probability = source.text("stage_id"), source.number("probability")
    rows = pd.DataFrame(
        {
            "id": ids,
            "name": source.text("label").fillna(ids),
            "pipeline": source.text("pipeline_id").fillna(""),
            "order": source.number("display_order").fillna(probability),
            "probability": _share(probability),
            "is_gone": source.flag("is_deleted").fillna(False).astype(bool),
        }
    ).dropna(subset="id")
    rows["means"] = _means(rows, source)
    is_open = rows["means"] == OPEN
    is_both = ~is_open & rows["name"].isin(rows.loc[is_open, "name"])
    rows["name"] = rows["name"].mask(is_both, rows["name"] + " (" + rows["pipeline"] + ")")
    return Stages(rows.drop(columns="probability").drop_duplicates("id"), names)


def _means(rows: pd.DataFrame, source: Source) -> pd.Series:
    """HubSpot says won and lost by 100 and 0 %; connectors call a lost stage not closed at times.

    So a stage of 0 % is lost, unless its pipeline does without probabilities.
    """
    probability = rows["probability"]
    is_between = (probability > 0) & (probability < 1)
    is_used = is_between.groupby(rows["pipeline"]).transform("any")
    is_won = source.flag("closed_won").reindex(rows.index).fillna(probability == 1).astype(bool)
    is_closed = source.flag("is_closed").reindex(rows.index).fillna(False).astype(bool)
    is_lost = is_closed | (is_used & (probability == 0))
    return pd.Series(OPEN, rows.index, dtype="str").mask(is_lost, LOST).mask(is_won, WON)


def _share(probability: pd.Series) -> pd.Series:
    """Probabilities from 0 to 1, also where they are written from 0 to 100."""
    return probability / (100 if probability.max() > 1 else 1)


def outcome(made: Made, deals: Source, stages: Stages) -> pd.Series:
    """Won, lost or missing, by the columns that say so, else by the stage."""
    by_stage = stages.meaning(deals.text("dealstage"))
    if not deals.has("hs_is_closed") and not by_stage.notna().any():
        probability = _share(deals.number("hs_deal_stage_probability"))
        by_stage = probability.map({1.0: WON, 0.0: LOST})
        if n := int(by_stage.notna().sum()):
            made.said.append(
                f"{deals.table.origin}: deals of 100 % or 0 %: {n:,}; they count as won or lost"
            )
    is_won = deals.flag("hs_is_closed_won").fillna(by_stage == WON).astype(bool)
    is_lost = deals.flag("hs_is_closed_lost").fillna(by_stage == LOST).astype(bool)
    is_closed = deals.flag("hs_is_closed").fillna(is_won | is_lost).astype(bool)
    if not deals.has("hs_is_closed") and not by_stage.notna().any() and len(deals.rows):
        made.said.append(
            f"{deals.table.origin}: nothing tells which deals are closed, and all count as open; "
            "the columns hs_is_closed and hs_is_closed_won tell, or the list of stages"
        )
    return pd.Series(LOST, deals.rows, dtype="str").where(is_closed).mask(is_closed & is_won, WON)


def closed(stages: Stages, deals: Source, outcome: pd.Series, saved: pd.Series) -> set[str]:
    """The names of closed stages: as listed, as they are called, else as deals in them are."""
    rows = stages.rows
    listed_open = {*rows.loc[rows["means"] == OPEN, "name"]}
    stage, is_open = stages.name(deals.text("dealstage")), outcome.isna()
    by_deals = {*stage[~is_open].dropna()} - {*stage[is_open].dropna()}
    names = pd.Series([*{*saved.dropna()}], dtype="str")
    called = names[vendor.meant(names, vendor.words(VENDOR, "stages")).notna()]
    return ({*rows["name"]} | by_deals | {*called}) - listed_open


def order(
    made: Made, stages: Stages, entered: pd.DataFrame, deals: Source, outcome: pd.Series
) -> tuple[str, ...]:
    """The open stages in order: as listed, else by probability or the way of the deals."""
    present = stages.name(deals.text("dealstage"))[outcome.isna()]
    seen = {*entered["stage"].dropna(), *present.dropna()}
    listed = _listed(stages, deals, seen)
    own = pd.DataFrame({"stage": present, "probability": deals.number("hs_deal_stage_probability")})
    told = entered.assign(place=stage_history.places(entered)).reset_index(drop=True)
    others = pd.concat([own.loc[present.index], told], ignore_index=True)
    is_needed = bool(len(entered))
    if not len(listed):
        return deal_log.order(made, others, is_needed)
    rest = others[~others["stage"].isin(listed["stage"])].drop(columns="probability")
    n_pipelines = len({*listed["pipeline"]})
    why = "the order of the pipeline" if n_pipelines == 1 else "their places in the pipelines"
    return deal_log.order(made, pd.concat([listed, rest], ignore_index=True), is_needed, why)


def _listed(stages: Stages, deals: Source, seen: Iterable[str]) -> pd.DataFrame:
    """Open stages of the pipelines that deals are in, with their places from 0 to 1."""
    rows, seen = stages.rows[stages.rows["means"] == OPEN], [*seen]
    ids = {*deals.text("pipeline").dropna()}
    ids |= {key for key, name in stages.pipelines.items() if name in ids}
    if not ids:
        ids = {*rows.loc[rows["name"].isin(seen), "pipeline"]}
    rows = rows[rows["pipeline"].isin([*ids, ""]) & (~rows["is_gone"] | rows["name"].isin(seen))]
    rank = rows.groupby("pipeline")["order"].rank(method="first") - 1
    last = rows.groupby("pipeline")["order"].transform("size") - 1
    place = (rank / last.where(last > 0)).fillna(0.0)
    return pd.DataFrame({"stage": rows["name"], "pipeline": rows["pipeline"], "place": place})


def _in_labels(columns: Iterable[str]) -> list[str]:
    """The pipelines in the labels of columns, which end with one in brackets."""
    found = (LAST.search(in_label(str(column))) for column in columns)
    return [each["pipeline"] for each in found if each]


def in_label(column: str) -> str:
    """The stage in a label such as ``Date entered "Demo (Sales Pipeline)"``, or nothing.

    >>> in_label('Date entered "Demo (Sales Pipeline)"'), in_label('Date exited "Demo"')
    ('Demo (Sales Pipeline)', '')
    """
    quotes = "\"“”„«»'‘’"
    text = column.strip()
    starts = [at for at, letter in enumerate(text) if letter in '"“„«']
    if not starts or text[-1] not in quotes:
        return ""
    is_entered = objects.fold(text[: starts[0]]) in vendor.words(VENDOR, "entered")
    return text[starts[0] :].strip(quotes + " \u00a0\u202f") if is_entered else ""
