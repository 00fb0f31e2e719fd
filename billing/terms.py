"""What a stored rate card says, in the form that pricing takes."""

from billing.models import RateCard, RateCardVersion
from billing.quote import Terms


def terms_of(rate_card: RateCard, version: RateCardVersion | None = None) -> Terms:
    """Return a rate card's terms as a version of it has them (None = the one in force now).

    2 queries, unless `versions__prices` are prefetched.
    """
    chosen = version or rate_card.current
    return Terms(
        currency=rate_card.currency,
        tariffs={price.meter: price.tariff for price in chosen.prices.all()},
        base_fee=chosen.base_fee,
        minimum=chosen.minimum,
        maximum=chosen.maximum,
    )
