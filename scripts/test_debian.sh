#!/usr/bin/env bash
# From nothing to the demo on Debian, with README's commands only, timed; and again without a network. Needs root,
# debootstrap, and a folder for the system (some 2 GB), which is removed at the end:
#   scripts/test_debian.sh /tmp/debian-bookworm [bookworm|trixie]
# SSL_CERT_FILE, where set, is taken along, for networks whose certificates are not Debian's.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$1 suite=${2:-bookworm}
mkdir -p "$root"

seconds() { # NAME COMMAND...: run it, and print the wall and processor time that it took
	local TIMEFORMAT="$suite | $1 | %0R s | %0U s" name=$1
	shift
	if ! { time "$@" > "$root.log" 2>&1; } 2>> "$root.times"; then
		echo "$name failed:" && tail -n 20 "$root.log" && return 1
	fi
}

inside() { # [--net-off] COMMAND: in the new system; its mounts end with the command
	local net=() certificate=()
	[ "$1" = --net-off ] && net=(--net) && shift
	[ -n "${SSL_CERT_FILE:-}" ] && certificate=(PIP_CERT=/etc/ssl/taken.crt)
	unshare --mount "${net[@]}" sh -c 'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; exec chroot "$@"' _ \
		"$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
		"${certificate[@]}" sh -ec "$1"
}

: > "$root.times"
[ -e "$root/bin/sh" ] || debootstrap --variant=minbase "$suite" "$root" > "$root.log" 2>&1
cp /etc/resolv.conf "$root/etc/resolv.conf"
[ -z "${SSL_CERT_FILE:-}" ] || { mkdir -p "$root/etc/ssl" && cp "$SSL_CERT_FILE" "$root/etc/ssl/taken.crt"; }
rm -rf "$root/root/any2bokeh" && mkdir -p "$root/root/any2bokeh"
git archive HEAD | tar -x -C "$root/root/any2bokeh"

seconds "apt-get install make python3-venv" inside "apt-get update && apt-get install -y --no-install-recommends make python3-venv ca-certificates"
seconds "make demo" inside "cd /root/any2bokeh && make demo"
seconds "make demo, again, without a network" inside --net-off "cd /root/any2bokeh && make demo"
seconds "pip install ." inside "python3 -m venv /root/own && cd /root/any2bokeh && /root/own/bin/pip install ."
seconds "any2bokeh demo, without a network" inside --net-off "cd /root && /root/own/bin/any2bokeh demo"
seconds "any2bokeh doctor" inside --net-off "/root/own/bin/any2bokeh doctor"
inside "/root/own/bin/any2bokeh --version; python3 --version; du -sm /root/any2bokeh/.venv /root/own"
sed 's/^/| /; s/$/ |/' "$root.times"
rm -rf --one-file-system "$root" "$root.log" "$root.times"
