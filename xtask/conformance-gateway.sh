#!/bin/sh
# Starts Lockgate in front of one server for the conformance harness:
#   conformance-gateway.sh PORT http URL  |  conformance-gateway.sh PORT stdio COMMAND…
# The policy allows everything, and what was read is only observed: the suite deletes what nobody has named. Its polling
# scenario wants streams that close before the answer, which for a
# child happens only after http.poll_after.
set -eu
port=$1 kind=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
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
trap 'kill "$gateway" 2>/dev/null; wait "$gateway" 2>/dev/null; rm -rf "$folder"; exit 0' TERM INT
wait "$gateway"
