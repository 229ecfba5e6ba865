#!/usr/bin/env bash
# usage: limits.sh DEVGRANT MINIMAL_SERVER
# Who is the limit? A generator that is starved of its core, of descriptors or of ports says so and ends with 3; a server
# that takes 50 ms for each poll is told as the server's, with 1. Two cores that nothing else uses; root, for the ports.
set -euo pipefail
devgrant=$(readlink -f "$1")
server=$(readlink -f "$2")
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
started=()
finish() { kill "${started[@]}" 2>/dev/null || true; rm -rf "$work"; }
trap finish EXIT

# scenario FILE DEVICES CONNECTIONS
scenario() {
  sed -e "s/INTERVAL/5/; s/DURATION/10 s/; s/DEVICES/$2/; s/CONNECTIONS/$3/" "$here/waiting.yaml.in" >"$1"
  sed -i 's/errors == 0\]/errors == 0, "p99(pending) < 20 ms"]/' "$1"
}

# serve MILLISECONDS: the minimal server on the first core; its target file
serve() {
  mkfifo "$work/stdin$1"
  taskset -c 0 "$server" 0 5 "$1" <"$work/stdin$1" >"$work/origin$1" &
  started+=($!)
  exec {held}>"$work/stdin$1"
  until [ -s "$work/origin$1" ]; do sleep 0.1; done
  local origin
  origin=$(cat "$work/origin$1")
  printf 'target: the minimal server\nendpoints: { device_authorization: %s/code, token: %s/token }\nclients: { tv: { id: tv } }\n' \
    "$origin" "$origin" >"$work/target$1.yaml"
}

# expect CODE WORDS NAME COMMAND...
expect() {
  local code=$1 words=$2 name=$3 came=0
  shift 3
  "$@" >"$work/out" 2>&1 || came=$?
  if [ "$came" -ne "$code" ] || ! tr '\n' ' ' <"$work/out" | tr -s ' ' | grep -q -- "$words"; then
    cat "$work/out"
    echo "NOT AS EXPECTED: $name ended with $came, $code and \"$words\" wanted"
    exit 1
  fi
  echo "$name: exit $came; $(tr '\n' ' ' <"$work/out" | tr -s ' ' | grep -o -m1 -- "$words[^.]*")"
}

load() { "$devgrant" load "$1" --target "$2" --shards 1 --cores 1 --record "$work/record.jsonl"; }

serve 0
serve 50
scenario "$work/waiting.yaml" 25000 'at_most: 256'
scenario "$work/few.yaml" 1000 'at_most: 256'
scenario "$work/dedicated.yaml" 500 'mode: one_per_device'

expect 0 'every threshold is met' "in quiet" load "$work/waiting.yaml" "$work/target0.yaml"

taskset -c 1 bash -c 'while :; do :; done' &
started+=($!)
busy=$!
expect 3 'the generator was the limit' "a busy loop on its core" load "$work/waiting.yaml" "$work/target0.yaml"
kill "$busy"

tight() { (ulimit -n 64; load "$work/dedicated.yaml" "$work/target0.yaml"); }
expect 3 'descriptors' "64 descriptors for 500 connections" tight

few_ports() {
  unshare --net bash -euc '
    ip link set lo up
    echo "40000 40099" >/proc/sys/net/ipv4/ip_local_port_range
    work=$1; server=$2; devgrant=$3
    mkfifo "$work/inner"
    taskset -c 0 "$server" 4180 5 <"$work/inner" >"$work/inner.out" &
    pid=$!
    exec 9>"$work/inner"
    until [ -s "$work/inner.out" ]; do sleep 0.1; done
    sed "s#http://127.0.0.1:[0-9]*#http://127.0.0.1:4180#g" "$work/target0.yaml" >"$work/inner.yaml"
    code=0
    "$devgrant" load "$work/dedicated.yaml" --target "$work/inner.yaml" --shards 1 --cores 1 \
      --record "$work/record.jsonl" || code=$?
    kill "$pid"
    exit "$code"' _ "$work" "$server" "$devgrant"
}
expect 3 'ports' "100 ports for 500 connections" few_ports

expect 1 'The server misses 1 threshold' "a server that takes 50 ms" load "$work/few.yaml" "$work/target50.yaml"
echo "All as expected."
