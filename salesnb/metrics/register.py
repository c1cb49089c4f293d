"""The register: every metric with its unit and what it needs; its docstring is the definition."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from salesnb.errors import unknown
from salesnb.metrics import activity, dates, durations, pipeline, quota, ramp, rates
from salesnb.metrics.view import View
from salesnb.team import Team


@dataclass(frozen=True)
class Metric:
    """One number and its one definition.

    compute : answers for each scope (and stage): value, value_low, value_high, n
    unit : ``rate`` (0-1), ``days``, ``months``, ``amount``, ``count`` or ``ratio``
    needs : tables beside reps and deals without which there is no answer
    is_now : about the state on `as_of`, such as the open pipeline, whatever the period
    is_of_hires : about new hires, so that a benchmark takes reps who are still ramping
    """

    compute: Callable[[View], pd.DataFrame]
    unit: str
    needs: tuple[str, ...] = ()
    is_now: bool = False
    is_of_hires: bool = False

    @property
    def name(self) -> str:
        """The metric's name, that of the function that computes it."""
        return self.compute.__name__

    @property
    def definition(self) -> str:
        """The formula: the first paragraph of the docstring, on one line."""
        return self._paragraphs()[0]

    @property
    def conventions(self) -> str:
        """What is counted and what is not: the rest of the docstring."""
        return " ".join(self._paragraphs()[1:])

    def lacking(self, team: Team) -> list[str]:
        """The tables that it needs and the data set does not have."""
        return [name for name in self.needs if not team.has(name)]

    def _paragraphs(self) -> list[str]:
        text = inspect.getdoc(self.compute) or ""
        return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


LOG, WORK, QUOTAS = ("stage_changes",), ("activities",), ("quotas",)
LINES, MOVES = ("deal_lines",), ("close_date_changes",)
REGISTER = (
    Metric(rates.win_rate, "rate"),
    Metric(rates.value_win_rate, "rate"),
    Metric(rates.cohort_win_rate, "rate"),
    Metric(rates.cohort_open_share, "rate"),
    Metric(rates.won_within_90_days, "rate"),
    Metric(rates.n_won, "count"),
    Metric(rates.won_amount, "amount"),
    Metric(rates.average_won_amount, "amount"),
    Metric(rates.discount_rate, "rate", LINES),
    Metric(rates.multi_product_share, "rate", LINES),
    Metric(durations.stage_conversion, "rate", LOG),
    Metric(durations.stage_exit_conversion, "rate", LOG),
    Metric(durations.stage_to_won, "rate", LOG),
    Metric(durations.time_in_stage_days, "days", LOG),
    Metric(durations.time_in_stage_days_p25, "days", LOG),
    Metric(durations.time_in_stage_days_p75, "days", LOG),
    Metric(durations.sales_cycle_days, "days"),
    Metric(durations.sales_cycle_days_p25, "days"),
    Metric(durations.sales_cycle_days_p75, "days"),
    Metric(durations.days_to_loss, "days"),
    Metric(pipeline.sales_velocity_amount, "amount"),
    Metric(pipeline.n_open, "count", is_now=True),
    Metric(pipeline.open_amount, "amount", is_now=True),
    Metric(pipeline.stalled_share, "rate", LOG, is_now=True),
    Metric(pipeline.stalled_amount, "amount", LOG, is_now=True),
    Metric(pipeline.untouched_share, "rate", WORK, is_now=True),
    Metric(pipeline.open_older_than_any_win_share, "rate", is_now=True),
    Metric(pipeline.open_older_than_any_win_amount, "amount", is_now=True),
    Metric(quota.pipeline_coverage, "ratio", QUOTAS, is_now=True),
    Metric(quota.required_coverage, "ratio"),
    Metric(quota.quota_left_amount, "amount", QUOTAS, is_now=True),
    Metric(quota.quota_amount, "amount", QUOTAS),
    Metric(quota.quota_attainment, "percent", QUOTAS),
    Metric(quota.quota_attainment_full, "percent", QUOTAS),
    Metric(dates.slippage_rate, "rate", MOVES),
    Metric(dates.slippage_amount_share, "rate", MOVES),
    Metric(dates.push_count, "count", MOVES),
    Metric(dates.within_month_push_count, "count", MOVES),
    Metric(dates.pushed_days, "days", MOVES),
    Metric(dates.pushes_per_deal, "ratio", MOVES),
    Metric(dates.forecast_accuracy, "ratio", MOVES),
    Metric(dates.forecast_bias, "ratio", MOVES),
    Metric(activity.dials_per_week, "count", WORK),
    Metric(activity.connect_rate, "rate", WORK),
    Metric(activity.booked_per_connect, "ratio", WORK),
    Metric(activity.meetings_booked_per_week, "count", WORK),
    Metric(activity.meetings_held_per_week, "count", WORK),
    Metric(activity.held_rate, "rate", WORK),
    Metric(activity.no_show_rate, "rate", WORK),
    Metric(ramp.time_to_first_deal_days, "days", is_now=True, is_of_hires=True),
    Metric(ramp.ramp_months, "months", is_now=True, is_of_hires=True),
)


def find(name: str) -> Metric:
    """The metric of that name; `DataError` with the nearest name if there is none."""
    for metric in REGISTER:
        if metric.name == name:
            return metric
    raise unknown("metric", name, [metric.name for metric in REGISTER])


def glossary() -> pd.DataFrame:
    """What every metric means.

    Returns
    -------
    DataFrame
        metric : its name
        definition : the formula
        conventions : what counts and what does not
        unit : ``rate`` (0-1), ``percent`` (a ratio that is read so and may pass 1), ``days``,
            ``months``, ``amount``, ``count`` or ``ratio``
        needs : tables beside reps and deals, separated by commas
    """
    rows = [(m.name, m.definition, m.conventions, m.unit, ", ".join(m.needs)) for m in REGISTER]
    return pd.DataFrame(
        rows, columns=["metric", "definition", "conventions", "unit", "needs"], dtype="str"
    )
