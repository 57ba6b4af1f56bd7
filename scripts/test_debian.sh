#!/usr/bin/env bash
# From nothing to the demo on Debian or Ubuntu, with README's commands only, timed; and again without a network. Needs root,
# debootstrap, and a folder for the system (some 2 GB), which is removed at the end:
#   scripts/test_debian.sh /tmp/debian-bookworm [bookworm|trixie|noble]
# `pip install .` stands for `pip install any2bokeh`. KEYRING names the keys of the archive where debootstrap has none: Debian has no
# package of Ubuntu's (ubuntu-archive-keyring.gpg of its package ubuntu-keyring). SSL_CERT_FILE, where set, is taken along, for networks
# whose certificates are not the system's.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$1 suite=${2:-bookworm}
mkdir -p "$root"

seconds() { # NAME COMMAND...: run it, and note its processor time, user and system, and its wall time with the load at its end
	local name=$1 took TIMEFORMAT='%R %U %S'
	shift
	if ! took=$({ time "$@" > "$root.log" 2>&1; } 2>&1); then
		echo "$name failed:" && tail -n 20 "$root.log" && return 1
	fi
	awk -v name="$suite | $name" '{ getline load < "/proc/loadavg"; sub(" .*", "", load)
		printf "| %s | %.0f s | %.0f s, load %.0f |\n", name, $2 + $3, $1, load }' <<< "$took" >> "$root.times"
}

inside() { # [--net-off] COMMAND: in the new system; its mounts end with the command
	local net=() certificate=()
	[ "$1" = --net-off ] && net=(--net) && shift
	[ -n "${SSL_CERT_FILE:-}" ] && certificate=(PIP_CERT=/etc/ssl/taken.crt)
	unshare --mount "${net[@]}" sh -c 'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; exec chroot "$@"' _ \
		"$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
		"${certificate[@]}" sh -ec "$1"
}

bootstrap() { # all releases of Ubuntu share one script, gutsy, which older debootstraps do not know by each name; python3-venv is in its universe
	local options=() from=()
	[ "$suite" = noble ] && options=(--components=main,universe) from=(http://archive.ubuntu.com/ubuntu /usr/share/debootstrap/scripts/gutsy)
	debootstrap --variant=minbase --force-check-gpg ${KEYRING:+"--keyring=$KEYRING"} "${options[@]}" "$suite" "$root" "${from[@]}" \
		> "$root.log" 2>&1 || { tail -n 5 "$root.log" && return 1; }
}

: > "$root.times"
[ -e "$root/bin/sh" ] || bootstrap
cp /etc/resolv.conf "$root/etc/resolv.conf"
[ -z "${SSL_CERT_FILE:-}" ] || { mkdir -p "$root/etc/ssl" && cp "$SSL_CERT_FILE" "$root/etc/ssl/taken.crt"; }
rm -rf "$root/root/any2bokeh" "$root/root/own" "$root/root/demo-output" && mkdir -p "$root/root/any2bokeh"
git archive HEAD | tar -x -C "$root/root/any2bokeh"

seconds "apt-get install make python3-venv" inside "apt-get update && apt-get install -y --no-install-recommends make python3-venv ca-certificates"
seconds "make demo" inside "cd /root/any2bokeh && make demo"
seconds "make demo, again, without a network" inside --net-off "cd /root/any2bokeh && make demo"
seconds "pip install ." inside "python3 -m venv /root/own && cd /root/any2bokeh && /root/own/bin/pip install ."
seconds "any2bokeh demo, without a network" inside --net-off "cd /root && /root/own/bin/any2bokeh demo"
tail -n 4 "$root.log" && ls -s "$root/root/demo-output"
seconds "any2bokeh doctor, without a network" inside --net-off "/root/own/bin/any2bokeh doctor"
cat "$root.log"
inside "/root/own/bin/any2bokeh --version; python3 --version; du -sm /root/any2bokeh/.venv /root/own"
cat "$root.times"
rm -rf --one-file-system "$root" "$root.log" "$root.times"
