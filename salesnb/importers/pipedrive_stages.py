"""The stages and pipelines of Pipedrive: what they are called, and their order."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from salesnb.importers import deal_log, stage_history, vendor
from salesnb.importers.pipedrive_cells import flag, is_true
from salesnb.importers.source import Source, Sources, named
from salesnb.importers.vendor import Made


@dataclass(frozen=True, eq=False)
class Stages:
    """The stages of the export: stage (its name), pipeline (its name), place, is_gone.

    `names` and `pipelines` give names by id. A place is a share: 0 for the first stage of its
    pipeline, 1 for the last.
    """

    table: pd.DataFrame
    names: Mapping[str, str]
    pipelines: Mapping[str, str]

    def called(self, values: pd.Series) -> pd.Series:
        """Stages by name, where they are given by id."""
        return named(values, self.names).fillna(values)

    def unnamed(self, values: pd.Series) -> list[str]:
        """Ids that the export does not name, where it names others."""
        strange = {*values.dropna()} - {*self.names} - {*self.table["stage"]}
        return sorted(strange) if self.names else []

    def elsewhere(self, used: set[str]) -> set[str]:
        """The names of stages that stand in other pipelines only."""
        is_used = self.table["pipeline"].isin(used)
        return {*self.table["stage"][~is_used]} - {*self.table["stage"][is_used]}


def read(made: Made, sources: Sources) -> Stages:
    """The stages and pipelines; deleted ones too, which deals went through before."""
    stages, pipelines = sources["stages"], sources["pipelines"]
    for source, what in ((stages, "stages"), (pipelines, "pipelines")):
        if source.names:
            made.counts.append(vendor.count(what, source, len(source.rows), {}))
    ids, pipeline = stages.text("id"), stages.text("pipeline_id")
    called = _by_id(pipeline, stages.text("pipeline_name"))
    called |= _by_id(pipelines.text("id"), pipelines.text("name"))
    stage = stages.text("name").fillna(ids)
    is_gone = flag(made, stages, "is_deleted") | ~flag(made, stages, "active_flag")
    table = pd.DataFrame(
        {
            "stage": stage,
            "pipeline": named(pipeline, called).fillna(pipeline),
            "place": _share(stages.number("order_nr"), pipeline),
            "is_gone": is_true(is_gone),
        }
    )
    return Stages(table.dropna(subset="stage"), _by_id(ids, stage), called)


def pipelines_of(deals: Source, stages: Stages) -> set[str]:
    """The names of the pipelines that the deals are in; all, where the deals tell of none."""
    ids, known = deals.text("pipeline_id"), {*stages.table["pipeline"].dropna()}
    called = deals.text("pipeline_name").fillna(named(ids, stages.pipelines)).fillna(ids)
    return {*called.dropna()} & known or known


def order(
    made: Made, stages: Stages, used: set[str], entered: pd.DataFrame, open_deals: pd.DataFrame
) -> tuple[str, ...]:
    """The open stages in order: as they stand in their pipelines, others as deals entered them.

    `entered` has deal_id, at and stage; `open_deals` stage and probability, which decides where
    the export has no table of stages.
    """
    entered = entered.assign(place=stage_history.places(entered)).reset_index(drop=True)
    own = stages.table[stages.table["pipeline"].isin(used) & ~stages.table["is_gone"]]
    if not len(own):
        return deal_log.order(made, pd.concat([open_deals, entered]), bool(len(entered)))
    others = entered[~entered["stage"].isin(own["stage"])]
    others = others.assign(place=others["place"].fillna(0))
    why = "the order of their pipeline"
    if len(used) > 1:
        why = "how far on each stands in its own pipeline"
    columns = ["stage", "place"]
    seen = pd.concat([own[columns], others[columns]], ignore_index=True)
    return deal_log.order(made, seen, bool(len(entered)), why)


def _by_id(ids: pd.Series, names: pd.Series) -> dict[str, str]:
    is_there = ids.notna() & names.notna()
    return dict(zip(ids[is_there], names[is_there], strict=True))


def _share(number: pd.Series, pipeline: pd.Series) -> pd.Series:
    """How far on each stage stands among those of its pipeline."""
    groups = number.fillna(number.max()).groupby(pipeline)
    last = groups.transform("size") - 1
    return ((groups.rank(method="first") - 1) / last.where(last > 0)).fillna(0.0)
