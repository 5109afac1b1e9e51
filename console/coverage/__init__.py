"""Coverage: which places are required, registered, posted, inspected and scanned, as a fact."""
