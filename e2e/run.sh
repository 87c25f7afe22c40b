#!/usr/bin/env bash
# `make run`: collects audit events and prints them, one JSON record a line on stdout, everything else on stderr. Where stderr is a
# terminal, how far a backfill is stays one line that renews itself (renew.sh).
#
#   WHEROBOTS_API_KEY set          the real service (or WHEROBOTS_API_KEY_FILE, WHEROBOTS_BEARER_TOKEN, WHEROBOTS_BEARER_TOKEN_FILE)
#   ENDPOINT=… API_KEY=…           that endpoint
#   neither                        a simulated endpoint on loopback
#
# With a Fluent Bit on the PATH (or named by FLUENT_BIT) in that, else in the bundled host. What it has to remember is under state/run/
# (STATE names another folder than state/).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${BUILD:-build}
run=${STATE:-state}/run
plugin=$build/in_wherobots_audit.so
endpoint=${ENDPOINT:-}
endpoint=${endpoint%/} # as the plugin sees it, so that both spellings have one checkpoint
engine=${FLUENT_BIT:-$(command -v fluent-bit || true)} # "none": the bundled host, whatever is installed
pids=()
renewer=

say() { printf 'run: %s\n' "$*" >&2; }

# What Ctrl-C did not reach ends here. SIGKILL only for what does not want to.
finish() {
  trap - EXIT INT TERM
  local pid
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do
    for _ in {1..60}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null || true
  done
  exec 4>&-
  [[ -z $renewer ]] || wait "$renewer" 2>/dev/null || true # it has something to say until the end
}

# Opens what the engine writes its log to, as 4. Nothing but the engine may hold it open: it ends with it.
open_log() {
  if [[ ! -t 2 ]]; then
    exec 4>&2
    return
  fi
  local size
  size=$(stty size <&2 2>/dev/null) || size=
  exec 4> >(COLUMNS=${size#* } exec e2e/renew.sh >&2)
  renewer=$!
}

# The same past events every time: seed and anchor stay, so that typing it again goes on where it was. So does the port, since a
# checkpoint belongs to one endpoint.
simulate() {
  local listen=127.0.0.1:0
  [[ -s $run/anchor ]] || date -u +%Y-%m-%dT%H:%M:%SZ >"$run/anchor"
  [[ -s $run/port ]] && listen=127.0.0.1:$(<"$run/port")
  rm -f "$run/port.new"
  export WHEROBOTS_API_KEY=simulated
  # In a session of its own: Ctrl-C must not end it before the input that polls it.
  setsid "$build/simulated-endpoint" -listen "$listen" -port-file "$run/port.new" -api-key "$WHEROBOTS_API_KEY" \
    -seed 1 -anchor "$(<"$run/anchor")" -past 24h -events 500 -rate 1 >&2 &
  pids+=($!)
  for _ in {1..200}; do
    [[ -s $run/port.new ]] && break
    kill -0 "${pids[0]}" 2>/dev/null || { say "the simulated endpoint did not start on $listen; is another \`make run\` running?"; exit 1; }
    sleep 0.05
  done
  mv "$run/port.new" "$run/port"
  endpoint=http://127.0.0.1:$(<"$run/port")
}

# JSON strings are YAML strings.
quoted() { local s=${1//\\/\\\\}; printf '"%s"' "${s//\"/\\\"}"; }

write_config() {
  cat <<CONFIG
service:
  flush: 0.2 # so that nothing is pending when Ctrl-C comes: the engine looks only once a second
  log_level: info
  http_server: on
  http_listen: 127.0.0.1
  http_port: $http_port
  storage.metrics: on
  storage.path: $(quoted "$run/storage")
pipeline:
  inputs:
    - name: wherobots_audit
      alias: audit
      endpoint: $(quoted "$endpoint")
      checkpoint_path: $(quoted "$checkpoint")
      engine_url: http://127.0.0.1:$http_port
      poll_interval: $poll
      storage.type: filesystem
  outputs:
    - name: stdout
      match: '*'
      format: json_lines
      json_date_key: date
      json_date_format: iso8601
      retry_limit: no_limits
CONFIG
}

mkdir -p "$run/storage"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

poll=60s
if [[ -n ${API_KEY:-} ]]; then
  unset WHEROBOTS_API_KEY_FILE WHEROBOTS_BEARER_TOKEN WHEROBOTS_BEARER_TOKEN_FILE
  export WHEROBOTS_API_KEY=$API_KEY
fi
if [[ -n ${WHEROBOTS_API_KEY:-}${WHEROBOTS_API_KEY_FILE:-}${WHEROBOTS_BEARER_TOKEN:-}${WHEROBOTS_BEARER_TOKEN_FILE:-} ]]; then
  endpoint=${endpoint:-https://api.cloud.wherobots.com}
  say "polls $endpoint"
elif [[ -n $endpoint ]]; then
  say "ENDPOINT needs a key: API_KEY=… make run ENDPOINT=$endpoint"
  exit 2
else
  poll=5s
  simulate
  say "WHEROBOTS_API_KEY is not set: polls a simulated endpoint, $endpoint"
fi
# For the monitoring API, through which the plugin learns what Fluent Bit has stored and delivered.
free_port() {
  local port
  while port=$((20000 + RANDOM % 10000)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
http_port=$(free_port)

checkpoint=$run/$(tr -c 'a-zA-Z0-9.\n' '-' <<<"${endpoint#*://}").json
say "checkpoint $checkpoint"

open_log
if [[ -n $engine && $engine != none ]]; then
  say "in $engine ($("$engine" --version | head -n 1))"
  write_config >"$run/fluent-bit.yaml"
  "$engine" -e "$plugin" -c "$run/fluent-bit.yaml" 2>&4 4>&- &
else
  say "in the bundled host (FLUENT_BIT is none, or no fluent-bit is on the PATH)"
  "$build/host" --plugin "$plugin" --storage-path "$run/storage" --deliver-after-ms 200 --http "$http_port" --input audit \
    -p engine_url="http://127.0.0.1:$http_port" -p endpoint="$endpoint" -p checkpoint_path="$checkpoint" -p poll_interval="$poll" 2>&4 4>&- &
fi
pids=($! "${pids[@]}")
trap 'exit 0' INT # the way to end it, which make shall not call an error
wait "${pids[0]}"
