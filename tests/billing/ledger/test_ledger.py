"""Credits: given, used on invoices, expired, taken back; and the rules that the database holds itself."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings, strategies as st

from accounts.errors import Refused
from accounts.models import AuditEvent
from billing.ledger.balances import balance, balances, left_of, movements, settled
from billing.ledger.draw import draw, give_back
from billing.ledger.grants import expire, expired, revoke
from billing.models import (
    AccountKind,
    CreditGrant,
    GrantSource,
    InvoiceState,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
)
from billing.tasks import expire_credits
from tests.billing.factories import still_due
from tests.billing.ledger.factories import T0, day, make_bill, make_credits
from tests.factories import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider():
    return make_organization(name="Provider")


@pytest.fixture
def customer():
    return make_organization(name="Customer")


def has(provider, customer, at=None, currency="USD"):
    return balance(provider=provider, customer=customer, currency=currency, at=at)


def checked():
    """Run the triggers that otherwise wait for the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def refused_at_commit(words):
    """The triggers refuse what was written; it is undone, so that the test can end."""
    with pytest.raises(IntegrityError, match=words), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    transaction.set_rollback(True)


def test_vector_v19_priorities_and_expiries(provider, customer):
    a = make_credits(provider, customer, "50", priority=1, expires_at=day(10))
    b = make_credits(provider, customer, "80", priority=1, expires_at=day(20))
    c = make_credits(provider, customer, "100", priority=2)
    bill = make_bill(provider, customer, "90")
    assert draw(invoices=[bill], at=day(1)) == {bill.pk: 90}
    assert left_of([a.pk, b.pk, c.pk]) == {a.pk: 0, b.pk: 40, c.pk: 100}
    assert still_due(bill) == 0


def test_vector_v19_what_is_left_expires(provider, customer):
    credit_grant = make_credits(provider, customer, "100", at=day(1), expires_at=day(10))
    bill = make_bill(provider, customer, "30")
    draw(invoices=[bill], at=day(5))
    assert has(provider, customer, at=day(9)) == 70
    assert has(provider, customer, at=day(10)) == 0
    assert expire(credit_grant=credit_grant, at=day(12)) == 70
    assert list(movements(customer=customer).values_list("change", "at")) == [
        (-70, day(10)),
        (-30, day(5)),
        (100, day(1)),
    ]
    with pytest.raises(Refused, match="Nothing is left"):
        expire(credit_grant=credit_grant, at=day(13))


def test_vector_v19_credits_first_then_the_invoice(provider, customer):
    make_credits(provider, customer, "40")
    bill = make_bill(provider, customer, "100")
    assert draw(invoices=[bill]) == {bill.pk: 40}
    assert still_due(bill) == 60
    assert has(provider, customer) == 0


def test_vector_v18_what_was_billed_early_as_a_credit(provider, customer):
    # fees 431.00 at the month's end, 200 of them invoiced at the threshold
    make_credits(provider, customer, "200", source=GrantSource.CARRIED, name="Invoiced at the threshold")
    bill = make_bill(provider, customer, "431.00")
    draw(invoices=[bill])
    assert still_due(bill) == Decimal("231.00")


def test_vector_v20_the_invoice_and_the_wallet_agree(provider, customer):
    make_credits(provider, customer, "100")
    bill = make_bill(provider, customer, "17.72")
    assert draw(invoices=[bill]) == {bill.pk: Decimal("17.72")}
    assert has(provider, customer) == Decimal("82.28")
    assert still_due(bill) == 0


def test_a_chunk_of_invoices_takes_seven_queries(provider, django_assert_num_queries):
    bills = []
    for _ in range(12):
        customer = make_organization()
        make_credits(provider, customer, "5", priority=1)
        make_credits(provider, customer, "10")
        bills += [make_bill(provider, customer, "8"), make_bill(provider, customer, "9")]
    with django_assert_num_queries(9):  # 7 and the savepoint
        used = draw(invoices=bills)
    assert [used[bill.pk] for bill in bills[:2]] == [8, 7]
    assert sum(used.values()) == 12 * 15
    assert not CreditGrant.objects.filter(spent_at__isnull=True).exists()
    checked()


def test_who_has_no_credits_costs_one_query(provider, django_assert_num_queries):
    bills = [make_bill(provider, total="8") for _ in range(5)]
    with django_assert_num_queries(3):
        assert set(draw(invoices=bills).values()) == {0}


def test_an_invoice_is_drawn_on_once(provider, customer):
    make_credits(provider, customer, "100")
    bill = make_bill(provider, customer, "10")
    draw(invoices=[bill])
    with pytest.raises(IntegrityError), transaction.atomic():
        draw(invoices=[bill])
    assert has(provider, customer) == 90


def test_credits_stay_with_their_provider_customer_and_currency(provider, customer):
    make_credits(provider, customer, "100")
    others = [
        make_bill(make_organization(), customer, "10"),
        make_bill(provider, make_organization(), "10"),
        make_bill(provider, customer, "10", currency="EUR"),
    ]
    assert set(draw(invoices=others).values()) == {0}
    assert balances(customer_ids=[customer.pk]) == {(provider.pk, customer.pk, "USD"): 100}
    assert not movements(customer=make_organization()).exists()


def test_credits_of_a_void_invoice_come_back_once(provider, customer):
    credit_grant = make_credits(provider, customer, "10")
    bill = make_bill(provider, customer, "25")
    draw(invoices=[bill])
    credit_grant.refresh_from_db()
    assert credit_grant.spent_at
    assert give_back(invoice=bill, actor=None) == 10
    assert has(provider, customer) == 10
    assert settled([bill.pk]) == {bill.pk: 0}
    with pytest.raises(IntegrityError), transaction.atomic():
        give_back(invoice=bill, actor=None)


def test_the_task_expires_after_the_delay(provider, customer, settings):
    settings.CREDIT_EXPIRY_DELAY_SECONDS = 2 * 86_400
    old = make_credits(provider, customer, "7", expires_at=day(10))
    assert not expired(day(11)).exists()
    assert list(expired(day(12))) == [old]
    expire_credits()
    expire_credits()
    assert left_of([old.pk]) == {old.pk: 0}
    assert AuditEvent.objects.filter(action="credits.expire", organization=customer).count() == 1


def test_what_is_left_can_be_taken_back(provider, customer):
    credit_grant = make_credits(provider, customer, "7")
    draw(invoices=[make_bill(provider, customer, "3")])
    assert revoke(credit_grant=credit_grant, actor=None) == 4
    assert has(provider, customer) == 0
    with pytest.raises(Refused, match="Nothing is left"):
        revoke(credit_grant=credit_grant, actor=None)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "0.001"}, "amount"),
        ({"amount": "1.5", "currency": "JPY"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "5", "currency": "XXX"}, "currency"),
        ({"amount": "5", "expires_at": T0}, "expires_at"),
        ({"amount": "5", "name": ""}, "name"),
    ],
)
def test_credits_that_make_no_sense_are_refused(provider, customer, fields, field):
    with pytest.raises(Refused) as refused:
        make_credits(provider, customer, **fields)
    assert refused.value.field == field
    assert not LedgerTransaction.objects.exists()


def test_a_reference_happens_once(provider, customer):
    make_credits(provider, customer, "5", reference="promo-1")
    with pytest.raises(Refused) as refused:
        make_credits(provider, customer, "5", reference="promo-1")
    assert refused.value.code == "taken"
    assert has(provider, customer) == 5


def test_the_database_refuses_what_does_not_sum_to_zero(provider, customer):
    made = make_credits(provider, customer, "5")
    done = LedgerTransaction.objects.get()
    account = LedgerAccount.objects.get(kind=AccountKind.CREDITS)
    LedgerEntry.objects.create(organization=provider, transaction=done, account=account, grant=made, amount=1)
    refused_at_commit("sum to 1")


def entries(provider, customer, *legs):
    """Write a transaction past the verbs: (kind, grant, amount) each."""
    number = LedgerTransaction.objects.count()
    done = LedgerTransaction.objects.create(
        organization=provider, customer=customer, currency="USD", kind="draw", reference=f"x{number}"
    )
    for kind, credit_grant, amount in legs:
        account, _ = LedgerAccount.objects.get_or_create(
            organization=provider, customer=customer, currency="USD", kind=kind
        )
        LedgerEntry.objects.create(
            organization=provider, transaction=done, account=account, grant=credit_grant, amount=amount
        )


def test_the_database_refuses_a_grant_below_zero(provider, customer):
    made = make_credits(provider, customer, "5")
    entries(provider, customer, ("credits", made, -6), ("invoices", None, 6))
    refused_at_commit("would fall to -1")


def test_the_database_refuses_credits_without_a_grant(provider, customer):
    entries(provider, customer, ("credits", None, 6), ("invoices", None, -6))
    refused_at_commit("not its own")


def test_the_database_refuses_the_credits_of_another_customer(provider, customer):
    stranger = make_credits(provider, make_organization(), "5")
    entries(provider, customer, ("invoices", None, 5))
    LedgerEntry.objects.create(
        organization=provider,
        transaction=LedgerTransaction.objects.get(reference__startswith="x"),
        account=LedgerAccount.objects.get(customer=stranger.customer, kind=AccountKind.CREDITS),
        grant=stranger,
        amount=-5,
    )
    refused_at_commit("not its own")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_ledgerentry SET amount = -amount",
        "UPDATE billing_ledgertransaction SET currency = 'EUR'",
        "DELETE FROM billing_ledgerentry",
        "DELETE FROM billing_ledgertransaction",
    ],
)
def test_the_database_refuses_changes(provider, customer, statement):
    make_credits(provider, customer, "5")
    checked()
    with (
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="append only"),
        transaction.atomic(),
    ):
        cursor.execute(statement)


def test_a_person_who_is_deleted_leaves_her_transactions(provider, customer):
    from tests.factories import make_user

    bob = make_user("bob")
    make_credits(provider, customer, "5", actor=bob)
    bob.delete()
    assert LedgerTransaction.objects.get().actor is None


steps = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.integers(1, 5000), st.integers(1, 3), st.none() | st.integers(1, 30)),
        st.tuples(st.just("bill"), st.integers(0, 6000)),
        st.tuples(st.just("void"), st.integers(0, 5)),
        st.tuples(st.just("expire"), st.integers(1, 30)),
        st.tuples(st.just("revoke"), st.integers(0, 5)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=HealthCheck)
@given(steps)
def test_whatever_happens_entries_sum_to_zero_and_nothing_is_negative(provider, customer, steps):
    with transaction.atomic():
        _happen(provider, customer, steps)
        checked()
        _assert_sound(provider, customer)
        transaction.set_rollback(True)


def _happen(provider, customer, steps):
    given, bills = [], []
    for kind, number, *rest in steps:
        if kind == "grant":
            expires_at = day(rest[1]) if rest[1] else None
            amount = f"{Decimal(number) / 100:.2f}"
            given.append(make_credits(provider, customer, amount, priority=rest[0], expires_at=expires_at))
        elif kind == "bill":
            bills.append(make_bill(provider, customer, f"{Decimal(number) / 100:.2f}"))
            draw(invoices=bills[-1:], at=day(1))
        elif kind == "void" and number < len(bills) and bills[number].state == InvoiceState.FINALIZED:
            give_back(invoice=bills[number], actor=None)
            bills[number].state = InvoiceState.VOID
        elif kind == "expire":
            for each in CreditGrant.objects.filter(expires_at__lte=day(number), spent_at__isnull=True):
                expire(credit_grant=each, at=day(number))
        elif kind == "revoke" and number < len(given) and left_of([given[number].pk])[given[number].pk]:
            revoke(credit_grant=given[number], actor=None)


def _assert_sound(provider, customer):
    everything = LedgerEntry.objects.filter(organization=provider)
    assert sum(everything.values_list("amount", flat=True)) == 0
    grants = CreditGrant.objects.filter(organization=provider)
    left = left_of([each.pk for each in grants])
    assert all(0 <= left[each.pk] <= each.amount for each in grants)
    assert all((each.spent_at is not None) == (left[each.pk] == 0) for each in grants)
    assert has(provider, customer, at=day(0)) == sum(left.values())
    for invoice_id, amount in settled([b.pk for b in provider.issued_invoices.all()]).items():
        assert 0 <= amount <= provider.issued_invoices.get(pk=invoice_id).total


def test_spending_is_looked_at_as_soon_as_there_are_new_credits(
    provider, customer, monkeypatch, django_capture_on_commit_callbacks
):
    looked = []
    monkeypatch.setattr("billing.tasks.look_soon", looked.append)
    with django_capture_on_commit_callbacks(execute=True):
        make_credits(provider, customer, "7")
    assert looked == [customer.pk]
