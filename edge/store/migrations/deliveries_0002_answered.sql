-- "Was this car reported, with picture, when, and if not, why": which read's picture, and when the city last answered.
ALTER TABLE deliveries ADD COLUMN read_id TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN answered_ms INTEGER NOT NULL DEFAULT 0;
