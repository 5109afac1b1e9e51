-- What is refused is kept as it came, up to 4 KiB of it, and whoever floods a topic with it must not
-- slow the rest: to compress it well was a fifth of the engine's work, when written and when merged.
ALTER TABLE rejects MODIFY COLUMN original String CODEC(LZ4)
