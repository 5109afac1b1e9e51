"""Manifests beside operators that are there; Kafka's are written from the schemas."""
