#!/usr/bin/env bash
# Looks at what `docker compose up` shows: events in the store, figures and rules in Prometheus, the dashboard in Grafana,
# which reaches Prometheus. Ends when all of it is there, or with 1 after two minutes.
set -euo pipefail
store=${STORE:-http://127.0.0.1:9428} prometheus=${PROMETHEUS:-http://127.0.0.1:9090} grafana=${GRAFANA:-http://127.0.0.1:3000}

# until WHAT JQ-CONDITION CURL-ARGUMENT…
until_shown() {
  local what=$1 condition=$2 end=$((SECONDS + 120)) answer=
  shift 2
  until answer=$(curl -sS --max-time 5 "$@" 2>&1) && jq -e "$condition" <<<"$answer" >/dev/null 2>&1; do
    if ((SECONDS > end)); then
      printf 'no %s: %s\n' "$what" "$answer" >&2
      exit 1
    fi
    sleep 1
  done
  echo "$what"
}

until_shown 'the events of a day' '(.n | tonumber) > 1900' "$store/select/logsql/query" -d 'query=event_id:* | stats count() n'
until_shown 'the collection is up' '.data.result[0].value[1] == "1"' "$prometheus/api/v1/query" -d 'query=wherobots_audit_up'
until_shown 'the alerts are loaded' '[.data.groups[].rules[].name] | index("WherobotsAuditStalled")' "$prometheus/api/v1/rules"
until_shown 'no alert fires' '[.data.alerts[] | select(.state == "firing")] == []' "$prometheus/api/v1/alerts"
if [[ $grafana != none ]]; then
  until_shown 'the dashboard is there' '.dashboard.panels | length > 10' "$grafana/api/dashboards/uid/wherobots-audit"
  until_shown 'Grafana asks Prometheus' '.data.result[0].value[1] == "1"' \
    "$grafana/api/datasources/proxy/uid/prometheus/api/v1/query?query=wherobots_audit_up"
fi
