"""One machine, nothing but Python: Kafka, the ClickHouse engine and the app under one supervisor."""
