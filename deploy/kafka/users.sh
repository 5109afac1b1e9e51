#!/bin/sh
# Users and what they may do, from acls.txt; safe to run again. Once each user's password lies in
# $SECRETS/kafka_<user>, and $ADMIN is the properties of a client with the administrator's
# certificate. A producer of one's own: a line in acls.txt (`gate-7 Write topic scans.v1`) and a file.
set -eu
CONFIG=${CONFIG:-/etc/truyvet/kafka} SECRETS=${SECRETS:-/run/secrets} BIN=${BIN:-/opt/kafka/bin}
RUN=${RUN:-/tmp}
umask 077
grep -v '^#' "$CONFIG/acls.txt" | cut -d ' ' -f 1 | sort -u | while read -r user; do
  # in a file without the brackets of --add-config
  printf 'SCRAM-SHA-512=password=%s\n' "$(cat "$SECRETS/kafka_$user")" >"$RUN/credentials"
  "$BIN/kafka-configs.sh" --bootstrap-server "$SERVER" --command-config "$ADMIN" --alter \
    --entity-type users --entity-name "$user" --add-config-file "$RUN/credentials"
  rm -f "$RUN/credentials"
done
grep -v '^#' "$CONFIG/acls.txt" | while read -r user operation kind names; do
  set --
  for name in $names; do set -- "$@" "--$kind" "$name"; done
  "$BIN/kafka-acls.sh" --bootstrap-server "$SERVER" --command-config "$ADMIN" --add --force \
    --allow-principal "User:$user" --operation "$operation" "$@"
done
