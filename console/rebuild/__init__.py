"""Tables of scans made again from Kafka: beside the old ones, compared, put in their place."""
