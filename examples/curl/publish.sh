#!/bin/sh
# Publish a file of scans to truyvet over HTTP: TRUYVET_KEY=tv_… sh publish.sh scans.ndjson
#
# One scan a line, as JSON, each with the `event_id` it was given when it was made. The file can be
# published again, whole or in part, as often as it takes: a scan counts once.
# Ends with 0: all accepted. 2: some refused, listed in the answers. 1: send the same file again.
set -eu
url=${TRUYVET_URL:-http://127.0.0.1:8080}/v1/scans
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/pieces"
split -l 2000 "$1" "$work/pieces/" # a request holds at most 10,000 lines and 8 MiB
refused=0
for piece in "$work"/pieces/*; do
  # The key comes in on standard input, so that no list of processes shows it. The same bytes are
  # sent again when the line breaks, on 408, 429 and 5xx, after as long as Retry-After says.
  status=$(printf 'header = "Authorization: Bearer %s"\n' "$TRUYVET_KEY" |
    curl --config - --silent --show-error --max-time 60 \
      --retry 8 --retry-all-errors --retry-max-time 300 \
      --header 'Content-Type: application/x-ndjson' --data-binary "@$piece" \
      --output "$work/answer" --write-out '%{http_code}' "$url") || exit 1
  cat "$work/answer"
  echo
  case $status in
    202) ;;                # the broker has all of them
    207 | 422) refused=2 ;; # … the good ones; the answer names each refused line and its reason
    *) exit 1 ;;
  esac
done
exit $refused
