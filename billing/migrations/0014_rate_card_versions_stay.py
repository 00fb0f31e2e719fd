"""The database itself refuses to change what a rate card cost, once somebody is billed by it."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION billing_rate_card_used(card text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM billing_planprice p JOIN access_subscription s ON s.plan_id = p.plan_id
        WHERE p.rate_card_id = card
    ) OR EXISTS (
        SELECT FROM billing_planprice p JOIN access_planchange c ON c.old_plan_id = p.plan_id
        WHERE p.rate_card_id = card
    ) OR EXISTS (
        SELECT FROM billing_planpricechange WHERE card IN (old_card_id, new_card_id)
    )
$$;

CREATE FUNCTION billing_rate_card_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.effective_from <= now() OR TG_OP = 'UPDATE' AND NEW.effective_from <= now())
        AND billing_rate_card_used(OLD.rate_card_id) THEN
        RAISE EXCEPTION 'version % of rate card % is in force and never changes', OLD.number, OLD.rate_card_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION billing_prices_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    frozen record;
BEGIN
    SELECT number, rate_card_id INTO frozen FROM billing_ratecardversion
    WHERE effective_from <= now()
      AND id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)
      AND billing_rate_card_used(rate_card_id);
    IF FOUND THEN
        RAISE EXCEPTION 'version % of rate card % is in force, its prices never change', frozen.number, frozen.rate_card_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER rate_card_version_stays BEFORE UPDATE OR DELETE ON billing_ratecardversion
    FOR EACH ROW EXECUTE FUNCTION billing_rate_card_version_stays();
CREATE TRIGGER prices_stay BEFORE INSERT OR UPDATE OR DELETE ON billing_price
    FOR EACH ROW EXECUTE FUNCTION billing_prices_stay();
"""

BACKWARD = """
DROP TRIGGER prices_stay ON billing_price;
DROP TRIGGER rate_card_version_stays ON billing_ratecardversion;
DROP FUNCTION billing_prices_stay();
DROP FUNCTION billing_rate_card_version_stays();
DROP FUNCTION billing_rate_card_used(text);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_invoice_items")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
