"""How good a rep is at a skill, from scores that several people gave on several days.

Knows no team: a table in, a table out. A score is the skill's level, the rep's own level, the
rep's level at this skill, the eye of the kind of assessor, the rep's own eye on themselves, and
chance. The rep's parts are shrunken towards the team by normal priors whose spread the scores
themselves tell (Henderson 1975; variances by the iterations of Schall 1991).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

ASSESSORS = ("manager", "certification", "self")  # the first one seen is the scale
HALF_LIFE = 365.25  # days after which a score counts half
LOWEST, HIGHEST = 0.0, 4.0
ROUNDS, ENOUGH = 200, 1e-4
FIRST, LEAST = 0.1, 1e-4  # variances
GROWTH_SD = 0.3 / HALF_LIFE  # a day, of what people learn without anybody's doing
DRIFT = 0.1  # points by which a level moves in a year in ways of its own
ROUNDING = 0.02  # variance of a score given in half points
COLUMNS = ["rep_id", "skill", "score", "sd", "n_assessments", "manager_score", "self_score"]


def current(assessments: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Each rep's level at each skill in which there is a score, on the manager's scale.

    Returns
    -------
    DataFrame
        One row per rep and skill, in that order:

        rep_id, skill
        score, sd : shrunken, 0-4, and its standard error
        n_assessments
        manager_score, self_score : means as given, a score of a year ago counting half
    """
    if assessments.empty:
        return pd.DataFrame({name: pd.Series(dtype=_dtype(name)) for name in COLUMNS})
    age = (as_of - assessments["assessed_on"]).dt.days
    weight = 0.5 ** (age / HALF_LIFE)
    who, reps = pd.factorize(assessments["rep_id"], sort=True)
    what, skills = pd.factorize(assessments["skill"], sort=True)
    said = assessments["assessor"].fillna(ASSESSORS[0])
    eyes = [eye for eye in ASSESSORS if (said == eye).any()]
    shape = (len(reps), len(skills), len(eyes))
    place = np.ravel_multi_index((who, what, [eyes.index(eye) for eye in said]), shape)

    def summed(values: pd.Series | None = None) -> np.ndarray:
        return np.bincount(place, values, np.prod(shape)).reshape(shape).astype(float)

    as_given = assessments["score"]
    score = as_given + _growth(place, as_given.to_numpy(), age.to_numpy()) * age
    w, wy, wyy, n = summed(weight), summed(weight * score), summed(weight * score**2), summed()
    level, sd = _fitted(w, wy, wyy, n, has_own_eye="self" in eyes[1:])
    with np.errstate(invalid="ignore"):
        mean_age = summed(weight * age).sum(axis=2) / w.sum(axis=2)
        means = dict(zip(eyes, np.moveaxis(summed(weight * as_given) / w, 2, 0), strict=True))
    unknown = np.full(shape[:2], np.nan)
    columns = {
        "rep_id": np.repeat(reps, len(skills)),
        "skill": np.tile(skills, len(reps)),
        "score": np.clip(level, LOWEST, HIGHEST).ravel(),
        "sd": np.hypot(sd, DRIFT * mean_age / HALF_LIFE).ravel(),
        "n_assessments": n.sum(axis=2).ravel().astype(int),
        "manager_score": means.get("manager", unknown).ravel(),
        "self_score": means.get("self", unknown).ravel(),
    }
    found = pd.DataFrame(columns).astype({"rep_id": "str", "skill": "str"})
    return found[found["n_assessments"] > 0].reset_index(drop=True)


def _growth(place: np.ndarray, score: np.ndarray, age: np.ndarray) -> float:
    """What scores of the same rep, skill and assessor gain in a day, on average over the team."""

    def off(values: np.ndarray) -> np.ndarray:
        n = np.maximum(np.bincount(place), 1)
        return values - (np.bincount(place, values) / n)[place]

    older, more = -off(age.astype(float)), off(score)
    free = len(score) - len(np.unique(place)) - 1
    length = float(older @ older)
    if free < 1 or length <= 0:
        return 0.0
    slope = float(older @ more) / length
    variance = float(np.sum((more - slope * older) ** 2)) / free / length
    return slope * GROWTH_SD**2 / (GROWTH_SD**2 + variance)


def _dtype(name: str) -> str:
    return "str" if name in ("rep_id", "skill") else "int64" if name[0] == "n" else "float64"


def _fitted(
    w: np.ndarray, wy: np.ndarray, wyy: np.ndarray, n: np.ndarray, has_own_eye: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Level and standard error, reps x skills, from weighted sums by rep, skill and assessor."""
    n_reps, n_skills, n_eyes = w.shape
    w, wy, wyy = (each.reshape(n_reps, -1) for each in (w, wy, wyy))
    fixed, own = _designs(n_skills, n_eyes, has_own_eye)
    part = np.r_[0, np.ones(n_skills, int), np.full(own.shape[1] - n_skills - 1, 2)]
    eye = np.tile(np.arange(n_eyes), n_skills)
    noise, spread = np.full(n_eyes, FIRST), np.full(3, FIRST)
    n_of_eye = n.sum(axis=(0, 1))
    for _ in range(ROUNDS):
        precision = w / noise[eye]
        mixed = _solved(precision, wy / noise[eye], fixed, own, spread[part])
        level = mixed.fixed @ fixed.T + mixed.own @ own.T
        left = wyy - 2 * wy * level + w * level**2
        left += w * np.einsum("ki,rij,kj->rk", own, mixed.covariance, own, optimize=True)
        before = np.r_[noise, spread]
        noise = np.maximum(np.bincount(eye, left.sum(axis=0)) / n_of_eye, ROUNDING)
        spread = _spreads(mixed.own, mixed.covariance, part, spread)
        if np.abs(np.r_[noise, spread] - before).max() < ENOUGH:
            break
    return mixed.levels(n_skills)


def _designs(n_skills: int, n_eyes: int, has_own_eye: bool) -> tuple[np.ndarray, np.ndarray]:
    """What a score in each place (skill x assessor) is made of: of all, and of the rep's own."""
    skill = np.repeat(np.eye(n_skills), n_eyes, axis=0)
    eye = np.tile(np.eye(n_eyes), (n_skills, 1))
    own = [np.ones((len(skill), 1)), skill] + ([eye[:, -1:]] if has_own_eye else [])
    return np.hstack([skill, eye[:, 1:]]), np.hstack(own)


@dataclass(frozen=True, eq=False)
class _Mixed:
    """The solution of the mixed model's equations; the own effects of reps are independent.

    fixed, shared : effects of all, and their covariance
    own, covariance : (reps, effects) of each rep, and their covariance were those of all known
    cross : what the two have in common in each rep's equations
    """

    fixed: np.ndarray
    shared: np.ndarray
    own: np.ndarray
    covariance: np.ndarray
    cross: np.ndarray

    def levels(self, n_skills: int) -> tuple[np.ndarray, np.ndarray]:
        """What the reference assessor would see on average, and its standard error."""
        of_all = np.eye(n_skills, len(self.fixed))
        of_rep = np.hstack([np.ones((n_skills, 1)), np.eye(n_skills)])
        of_rep = np.hstack([of_rep, np.zeros((n_skills, self.own.shape[1] - n_skills - 1))])
        # What is unsure in the effects of all moves the rep's own the other way.
        pull = of_all - of_rep @ self.covariance @ self.cross.transpose(0, 2, 1)
        variance = np.einsum("rsi,ij,rsj->rs", pull, self.shared, pull, optimize=True)
        variance += np.einsum("si,rij,sj->rs", of_rep, self.covariance, of_rep, optimize=True)
        return of_all @ self.fixed + self.own @ of_rep.T, np.sqrt(variance)


def _solved(
    precision: np.ndarray, said: np.ndarray, fixed: np.ndarray, own: np.ndarray, prior: np.ndarray
) -> _Mixed:
    gram = (precision[:, :, None] * own).transpose(0, 2, 1) @ own
    covariance = np.linalg.inv(gram + np.diag(1 / prior))
    cross = (precision[:, :, None] * fixed).transpose(0, 2, 1) @ own
    seen = cross @ covariance
    of_all = (precision.sum(axis=0)[:, None] * fixed).T @ fixed
    of_all = of_all - np.einsum("rij,rkj->ik", seen, cross, optimize=True)
    shared = np.linalg.pinv(of_all, hermitian=True)
    told = said @ own
    found = shared @ (said.sum(axis=0) @ fixed - np.einsum("rij,rj->i", seen, told))
    effects = np.einsum("rij,rj->ri", covariance, told - np.einsum("rij,i->rj", cross, found))
    return _Mixed(found, shared, effects, covariance, cross)


def _spreads(
    effects: np.ndarray, covariance: np.ndarray, part: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """The variance of each part of the reps' effects, beyond what chance alone would spread."""
    squares = np.bincount(part, (effects**2).sum(axis=0), 3)
    left = np.bincount(part, np.einsum("rii->i", covariance), 3) / before
    free = np.bincount(part, minlength=3) * len(effects) - left
    return np.maximum(squares / np.maximum(free, 1e-6), LEAST)
