-- Merging is the dearest part of an insert. A larger base makes fewer, wider merges: each row is
-- rewritten less often, and the number of parts stays bounded all the same.
ALTER TABLE scans MODIFY SETTING merge_selector_base = 12
