-- Whether the latest secret of a grant reached its beneficiary. The secret itself is nowhere in here.

ALTER TABLE grants ADD COLUMN delivery TEXT
    CONSTRAINT grant_delivery_known CHECK (
        delivery IS NULL OR delivery IN ('waiting', 'sent', 'unknown'));
