#!/bin/sh
# Starts Lockgate in front of one server for the conformance harness:
#   conformance-gateway.sh PORT http URL  |  conformance-gateway.sh PORT stdio COMMAND…
# With SERVER_ERA=legacy or modern, the server is made to speak that era alone.
# The policy allows everything, and what was read is only observed: the suite deletes what nobody has named. Its polling
# scenario wants streams that close before the answer, which for a
# child happens only after http.poll_after.
set -eu
port=$1 kind=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
one_era="$(dirname "$0")/one-era.mjs"
shims=
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
if [ -n "${SERVER_ERA:-}" ] && [ "$kind" = http ]; then
  between=$(free_port)
  node "$one_era" "$SERVER_ERA" http "$between" "$1" &
  shims="$shims $!"
  set -- "$(python3 -c 'import sys, urllib.parse as u; print(u.urlsplit(sys.argv[1])._replace(netloc="127.0.0.1:" + sys.argv[2]).geturl())' "$1" "$between")"
elif [ -n "${SERVER_ERA:-}" ]; then
  set -- node "$one_era" "$SERVER_ERA" stdio "$@"
fi
{
  echo 'http: {poll_after: 50ms}'
  echo 'flow: {mode: observe}'
  echo 'servers:'
  echo '  ref:'
  if [ "$kind" = http ]; then
    printf '    url: "%s"\n' "$1"
  else
    printf '    command: %s\n' "$(python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@")"
  fi
} > "$folder/lockgate.yaml"
"${LOCKGATE:-lockgate}" run -c "$folder/lockgate.yaml" --listen "127.0.0.1:$port" &
gateway=$!
trap 'kill "$gateway" $shims 2>/dev/null; wait "$gateway" 2>/dev/null; rm -rf "$folder"; exit 0' TERM INT
wait "$gateway"
