"""One machine, nothing but Python: Kafka, ClickHouse's engine and the app, supervised."""
