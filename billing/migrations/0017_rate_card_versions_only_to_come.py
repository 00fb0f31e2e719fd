"""The database itself refuses a new version in the past of a rate card that somebody is billed by."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION billing_rate_card_version_to_come() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.effective_from <= now() AND billing_rate_card_used(NEW.rate_card_id) THEN
        RAISE EXCEPTION 'a version of rate card % from % on would change what is in force', NEW.rate_card_id, NEW.effective_from
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rate_card_version_to_come BEFORE INSERT ON billing_ratecardversion
    FOR EACH ROW EXECUTE FUNCTION billing_rate_card_version_to_come();
"""

BACKWARD = """
DROP TRIGGER rate_card_version_to_come ON billing_ratecardversion;
DROP FUNCTION billing_rate_card_version_to_come();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0016_lines_are_checked_at_once")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
