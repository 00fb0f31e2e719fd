"""What a stored rate card says, in the form that pricing takes."""

from billing.models import RateCard
from billing.quote import Terms


def terms_of(rate_card: RateCard) -> Terms:
    """Return a rate card's terms as they are now. 2 queries, unless `versions__prices` are prefetched."""
    now = rate_card.current
    return Terms(
        currency=rate_card.currency,
        tariffs={price.meter: price.tariff for price in now.prices.all()},
        base_fee=now.base_fee,
        minimum=now.minimum,
        maximum=now.maximum,
    )
