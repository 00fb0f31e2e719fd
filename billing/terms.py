"""What a stored rate card says, in the form that pricing takes."""

from billing.models import RateCard
from billing.quote import Terms


def terms_of(rate_card: RateCard) -> Terms:
    """Return a rate card's terms as they are now. 1 query, unless its prices are prefetched."""
    return Terms(
        currency=rate_card.currency,
        tariffs={price.meter: price.tariff for price in rate_card.prices.all()},
        base_fee=rate_card.base_fee,
    )
