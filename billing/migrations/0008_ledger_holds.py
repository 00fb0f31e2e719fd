"""The database itself holds the ledger: entries sum to zero, no grant falls below zero, nothing is changed."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION billing_ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rest numeric;
    kind text;
BEGIN
    SELECT sum(amount) INTO rest FROM billing_ledgerentry WHERE transaction_id = NEW.transaction_id;
    IF rest <> 0 THEN
        RAISE EXCEPTION 'entries of ledger transaction % sum to %, not to zero', NEW.transaction_id, rest
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_sums_to_zero';
    END IF;
    SELECT account.kind INTO kind FROM billing_ledgeraccount account
    JOIN billing_ledgertransaction done ON done.id = NEW.transaction_id
    WHERE account.id = NEW.account_id
      AND (account.organization_id, account.customer_id, account.currency)
        = (done.organization_id, done.customer_id, done.currency)
      AND NEW.organization_id = done.organization_id;
    IF kind IS NULL OR (kind = 'credits') <> (NEW.grant_id IS NOT NULL) THEN
        RAISE EXCEPTION 'ledger entry % is on an account or a grant that is not its own', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_belongs';
    END IF;
    IF NEW.grant_id IS NOT NULL AND NEW.amount < 0 THEN
        -- two transactions that draw on one grant wait for each other here, if they did not before
        PERFORM 1 FROM billing_creditgrant WHERE id = NEW.grant_id FOR NO KEY UPDATE;
        SELECT sum(amount) INTO rest FROM billing_ledgerentry WHERE grant_id = NEW.grant_id;
        IF rest < 0 THEN
            RAISE EXCEPTION 'credit grant % would fall to %', NEW.grant_id, rest
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_never_negative';
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION billing_ledger_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- a person who is deleted leaves her transactions without their actor; nothing else may change
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' AND to_jsonb(NEW) ->> 'actor_id' IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the ledger is append only' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON billing_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_ledger_balances();
CREATE TRIGGER ledger_entries_stay BEFORE UPDATE OR DELETE ON billing_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION billing_ledger_stays();
CREATE TRIGGER ledger_transactions_stay BEFORE UPDATE OR DELETE ON billing_ledgertransaction
    FOR EACH ROW EXECUTE FUNCTION billing_ledger_stays();
"""

BACKWARD = """
DROP TRIGGER ledger_transactions_stay ON billing_ledgertransaction;
DROP TRIGGER ledger_entries_stay ON billing_ledgerentry;
DROP TRIGGER ledger_balances ON billing_ledgerentry;
DROP FUNCTION billing_ledger_stays();
DROP FUNCTION billing_ledger_balances();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_ledger")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
