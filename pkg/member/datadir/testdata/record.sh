#!/bin/sh
# Records a small data dir of a real etcd:  record.sh ETCD-BINARY OUTPUT.tar.gz [SNAPSHOT-COUNT]
# Used: etcd 3.4.23 (Debian's etcd-server), 3.5.16 and 3.6.16 (go build go.etcd.io/etcd/server/v3@VERSION).
# The -snapshot one has taken a snapshot after its start (SNAPSHOT-COUNT 10), so that 3.7 can read it.
set -eu
etcd=$1 out=$(realpath "$2") count=${3:-10000}
dir=$(mktemp -d)
trap 'kill $pid 2>/dev/null || true; rm -rf "$dir"' EXIT
client=http://127.0.0.1:42379 peer=http://127.0.0.1:42380
"$etcd" --name old --data-dir "$dir" --snapshot-count "$count" --initial-cluster old=$peer \
	--listen-client-urls $client --advertise-client-urls $client \
	--listen-peer-urls $peer --initial-advertise-peer-urls $peer 2>/dev/null &
pid=$!
until curl -sf $client/health | grep -q true; do sleep 0.1; done
for _ in $(seq 40); do curl -sf $client/v3/kv/put -d '{"key":"Zm9v","value":"YmFy"}' >/dev/null; done # foo = bar
kill $pid
wait $pid || true
for wal in "$dir"/member/wal/*.wal; do truncate -s 64K "$wal"; done # of 64 MB, the rest of it zeros
rm -f "$dir"/member/wal/*.tmp
tar -C "$dir" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - member | gzip -9n >"$out"
