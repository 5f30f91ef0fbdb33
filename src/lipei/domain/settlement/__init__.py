"""Settlement (理算): what the terms give for a loss, step by step, each with its clause (norm 2.2.3, 2.2.4).

`terms` is a product's terms as values, `values` a loss with its facts and items, checked, `steps` the closed vocabulary
of calculation, `engine` executes a cover's steps for all losses of an accident, `results` is the outcome.
"""

from lipei.domain.settlement.engine import Accident, foresee, replay, settle, settle_together
from lipei.domain.settlement.results import Due, Line, Settlement, due
from lipei.domain.settlement.sharing import across_policies
from lipei.domain.settlement.terms import Cover, Exclusion, FactSpec, Figure, Limit, Products, Step, Terms, Wording
from lipei.domain.settlement.values import Item, Loss, loss_of

__all__ = [
    "Accident",
    "Cover",
    "Due",
    "Exclusion",
    "FactSpec",
    "Figure",
    "Item",
    "Limit",
    "Line",
    "Loss",
    "Products",
    "Settlement",
    "Step",
    "Terms",
    "Wording",
    "across_policies",
    "due",
    "foresee",
    "loss_of",
    "replay",
    "settle",
    "settle_together",
]
