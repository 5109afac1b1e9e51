"""The gateway: scans over HTTP to Kafka, and what became of them."""
