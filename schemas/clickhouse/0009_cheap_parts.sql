-- A part of a few files is made for less than one of a hundred, and what an insert makes is small:
-- a fifth of its CPU went into making files. A part grows wide when it is merged to this size.
ALTER TABLE scans MODIFY SETTING min_bytes_for_wide_part = 134217728
