"""Lines that are added to a finalized invoice are refused by one check for a whole statement, not by one for each line.

At the month's end thousands of lines come with one COPY; changes and deletions are looked at line by line, as before.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION billing_no_lines_are_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    frozen text;
BEGIN
    -- an array, so that it is read by the key, whatever the plan was made for
    SELECT id INTO frozen FROM billing_invoice
    WHERE id = ANY(ARRAY(SELECT DISTINCT invoice_id FROM added)) AND state <> 'draft' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'invoice % is finalized, its lines never change', frozen USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
"""
BACKWARD = "DROP FUNCTION billing_no_lines_are_added();"

TRIGGERS = """
DROP TRIGGER {name}_stay ON {table};
CREATE TRIGGER {name}_stay BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION billing_invoice_lines_stay();
CREATE TRIGGER {name}_are_not_added AFTER INSERT ON {table}
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION billing_no_lines_are_added();
"""
FORMER = """
DROP TRIGGER {name}_are_not_added ON {table};
DROP TRIGGER {name}_stay ON {table};
CREATE TRIGGER {name}_stay BEFORE INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION billing_invoice_lines_stay();
"""
TABLES = {"invoice_lines": "billing_invoiceline", "invoice_taxes": "billing_invoicetax"}


class Migration(migrations.Migration):
    dependencies = [("billing", "0015_billing_runs")]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        *(
            migrations.RunSQL(TRIGGERS.format(name=name, table=table), FORMER.format(name=name, table=table))
            for name, table in TABLES.items()
        ),
    ]
