"""The database itself refuses to change a finalized invoice, whoever asks and in whatever language."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION billing_invoice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mutable CONSTANT text[] := ARRAY['state', 'paid_at', 'voided_at'];
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' OR NEW.state = 'draft' OR to_jsonb(NEW) - mutable IS DISTINCT FROM to_jsonb(OLD) - mutable THEN
        RAISE EXCEPTION 'invoice % is finalized and never changes', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION billing_invoice_lines_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    frozen text;
BEGIN
    SELECT id INTO frozen FROM billing_invoice
    WHERE state <> 'draft'
      AND id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.invoice_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.invoice_id END);
    IF FOUND THEN
        RAISE EXCEPTION 'invoice % is finalized, its lines never change', frozen USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER invoice_stays BEFORE UPDATE OR DELETE ON billing_invoice
    FOR EACH ROW EXECUTE FUNCTION billing_invoice_stays();
CREATE TRIGGER invoice_lines_stay BEFORE INSERT OR UPDATE OR DELETE ON billing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION billing_invoice_lines_stay();
"""

BACKWARD = """
DROP TRIGGER invoice_lines_stay ON billing_invoiceline;
DROP TRIGGER invoice_stays ON billing_invoice;
DROP FUNCTION billing_invoice_lines_stay();
DROP FUNCTION billing_invoice_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_month_parts_and_tiers")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
