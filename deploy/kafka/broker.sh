#!/bin/sh
# One broker and controller: writes its properties, formats its storage once, becomes the server.
#
# NODE_ID  number of this node             VOTERS    1@host:9093,2@host:9093,… of all nodes
# HOST     its name for clients            COPIES    1 (one node) or 3
# SECURITY plain, or hardened: TLS, SCRAM and ACLs (hardened.properties)
# CONFIG   this folder    STATE  where data lies    RUN  where properties are written
# LISTEN   address it binds to; PORTS its ports for clients, brokers, controllers
set -eu
CONFIG=${CONFIG:-/etc/truyvet/kafka} STATE=${STATE:-/var/lib/kafka/data} RUN=${RUN:-/tmp}
SECURITY=${SECURITY:-plain} COPIES=${COPIES:-1} LISTEN=${LISTEN:-0.0.0.0} PORTS=${PORTS:-9092 9094 9093}
CERTIFICATES=${CERTIFICATES:-/run/secrets} CLUSTER_ID=${CLUSTER_ID:-dHJ1eXZldC1jbHVzdGVyMQ}
case $COPIES in 1) insync=1 ;; *) insync=2 ;; esac
# shellcheck disable=SC2086  # three words
set -- $PORTS
properties=$RUN/server.properties
umask 077
{
  cat "$CONFIG/broker.properties"
  echo "node.id=$NODE_ID"
  echo "log.dirs=$STATE"
  echo "controller.quorum.voters=$VOTERS"
  for what in default offsets.topic transaction.state.log share.coordinator.state.topic; do
    echo "$what.replication.factor=$COPIES"
  done
  echo "min.insync.replicas=$insync"
  echo "transaction.state.log.min.isr=$insync"
  echo "share.coordinator.state.topic.min.isr=$insync"
  echo "listeners=CLIENTS://$LISTEN:$1,INTERNAL://$LISTEN:$2,CONTROLLER://$LISTEN:$3"
  echo "advertised.listeners=CLIENTS://$HOST:$1,INTERNAL://$HOST:$2"
  if [ "$SECURITY" = hardened ]; then
    cat "$CONFIG/hardened.properties"
    echo "ssl.keystore.location=$CERTIFICATES/kafka-$NODE_ID.keystore.pem"
    echo "ssl.truststore.location=$CERTIFICATES/ca.pem"
  else
    echo "listener.security.protocol.map=CLIENTS:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"
  fi
} >"$properties"
[ -f "$STATE/meta.properties" ] || "${BIN:-/opt/kafka/bin}/kafka-storage.sh" format --ignore-formatted \
  --cluster-id "$CLUSTER_ID" --config "$properties"
exec "${BIN:-/opt/kafka/bin}/kafka-server-start.sh" "$properties"
