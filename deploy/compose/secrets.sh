#!/bin/sh
# Passwords, keys and certificates of the compose files, in deploy/compose/secrets. What is there
# stays: codes are printed with code_keys. Certificates are for a year; to make them anew, remove
# *.pem and *.key and run this again.
#
# A container reads a secret's file with the file's own owner: run as root, it sets them to the
# users of the images. Keep the folder private, and a copy of code_keys and person_key elsewhere.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets

secret() { [ -s "$1" ] || openssl rand -hex "$2" | tr -d '\n' >"$1"; }
for name in postgres_password clickhouse_password grafana_password \
  kafka_migrate kafka_worker kafka_console kafka_producer; do secret $name 24; done
secret person_key 32
[ -s code_keys ] || printf '1:%s' "$(openssl rand -hex 32)" >code_keys
[ -s admin_key ] || printf 'tv_%s' "$(openssl rand -hex 32)" >admin_key
printf 'postgresql+psycopg://truyvet:%s@postgres/truyvet' "$(cat postgres_password)" >database_url
printf '%s?sslmode=verify-full&sslrootcert=/run/secrets/ca.pem' "$(cat database_url)" >database_url_tls
cat >clickhouse_users.xml <<XML
<clickhouse><users>
  <default remove="1"/>
  <truyvet>
    <password_sha256_hex>$(openssl dgst -sha256 -r clickhouse_password | cut -d ' ' -f 1)</password_sha256_hex>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile><quota>default</quota>
    <access_management>0</access_management>
  </truyvet>
</users></clickhouse>
XML

[ -s ca.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
  -keyout ca.key -out ca.pem -subj "/CN=truyvet" 2>/dev/null
certificate() { # name, host names
  [ -s "$1.pem" ] && return
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" \
    -subj "/CN=$1" -out "$1.csr" 2>/dev/null
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 \
    -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  rm -f "$1.csr" "$1.ext"
}
certificate kafka-1 DNS:kafka
certificate kafka-2 DNS:kafka-2
certificate kafka-3 DNS:kafka-3
certificate admin DNS:admin
certificate clickhouse DNS:clickhouse
certificate postgres DNS:postgres
for node in kafka-1 kafka-2 kafka-3; do cat $node.key $node.pem >$node.keystore.pem; done
cat admin.key admin.pem >kafka-admin.keystore.pem

if [ "$(id -u)" = 0 ] && [ "${OWNERS:-yes}" = yes ]; then
  chmod 644 ca.pem # no secret, and read by all
  chown 10001 database_url database_url_tls code_keys person_key admin_key clickhouse_password
  chown 1000 kafka-?.keystore.pem kafka-admin.keystore.pem
  chown 101 clickhouse_users.xml clickhouse.pem clickhouse.key
  chown 999 postgres_password postgres.pem postgres.key
  chown 472 grafana_password
  # by the process of its name, and by kafka-users, which makes the users
  chown 10001:1000 kafka_migrate kafka_worker kafka_console kafka_producer
  chmod 440 kafka_migrate kafka_worker kafka_console kafka_producer
fi
