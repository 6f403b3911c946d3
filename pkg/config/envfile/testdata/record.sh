#!/bin/sh
# record.sh DIR - write down what the systemd of this machine makes of each
# DIR/*.env, as DIR/*.golden: one NAME=value per line, sorted, with backslash,
# tab, newline and return as \\ \t \n \r; or the word "refused".
#
# To be run as root on a machine with a running systemd. NAME.sinceNNN.env is
# left out where systemd is older than NNN. Only variables named ETCD_* or with
# one letter are listed: the rest of the environment is systemd's own.
set -eu
export LC_ALL=C
cd "$1"
version=$(systemctl --version | awk 'NR==1 {print $2; exit}')
for f in *.env; do
	case $f in *.since*.env)
		since=${f##*.since}
		[ "$version" -ge "${since%.env}" ] || continue
	esac
	out=${f%.env}.golden
	if systemd-run --quiet --wait --pipe -p "EnvironmentFile=$PWD/$f" \
		/usr/bin/env -0 </dev/null >"$out.new" 2>/dev/null
	then
		grep -z -E '^(ETCD_[^=]*|_?[A-Z])=' <"$out.new" | sort -z |
			sed -z 's/\\/\\\\/g; s/\t/\\t/g; s/\n/\\n/g; s/\r/\\r/g' | tr '\0' '\n' >"$out" || true
	else
		echo refused >"$out"
	fi
	rm "$out.new"
done
