"""From rep to manager: the first talks, trust, ideas and their credit, the own old deals."""

from salesnb.transition.carried import super_rep
from salesnb.transition.fair import fairness
from salesnb.transition.first_talks import plan
from salesnb.transition.handing_over import handover
from salesnb.transition.heard import ideas
from salesnb.transition.same_accounts import rivalry

__all__ = ["fairness", "handover", "ideas", "plan", "rivalry", "super_rep"]
