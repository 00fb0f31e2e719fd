"""How far a billing run is, in words."""

from billing.currencies import round_money
from billing.models import BillingRun, RunState


def words_of(run: BillingRun) -> str:
    """`45,000 of 100,000 customers (45 %), 44,980 invoices, 1,830 a second, 30 s left`."""
    parts = [
        f"{run.customers_done:,} of {run.customers:,} customer{'' if run.customers == 1 else 's'} ({run.percent} %)",
        f"{run.invoices:,} invoice{'' if run.invoices == 1 else 's'}",
    ]
    if run.customers_done:
        parts.append(f"{run.rate:,.0f} a second")
    if run.left is not None:
        parts.append(f"{time_of(run.left.total_seconds())} left")
    elif run.state != RunState.RUNNING:
        parts.append(f"in {time_of(run.seconds)}")
    return ", ".join(parts)


def amounts_of(run: BillingRun) -> str:
    """`1,234.50 USD, 99 JPY`; nothing where there is no invoice."""
    return ", ".join(
        f"{round_money(amount, currency):,} {currency}" for currency, amount in sorted(run.totals.items())
    )


def time_of(seconds: float) -> str:
    """`4.2 s`, `45 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole >= 3_600:
        return f"{whole // 3_600} h {whole % 3_600 // 60} min"
    if whole >= 60:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole} s" if seconds >= 10 else f"{seconds:.1f} s"
