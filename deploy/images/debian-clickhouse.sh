#!/usr/bin/env bash
# Makes a container image of ClickHouse out of Debian's packages, for tests on a
# machine that reaches Debian's archive and no image registry:
#
#   deploy/images/debian-clickhouse.sh [IMAGE]      default: meterhouse/debian-clickhouse:18.16
#
# It behaves as the official image does, as far as the tests need it: the
# password of the user default is $CLICKHOUSE_PASSWORD, ports 8123 and 9000.
# Needed: root, debootstrap, docker with a running daemon. It takes about a minute.
set -euo pipefail

image=${1:-meterhouse/debian-clickhouse:18.16}
suite=${DEBIAN_SUITE:-bookworm} # the last one that has clickhouse-server
mirror=${DEBIAN_MIRROR:-}       # "": debootstrap's own choice

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

debootstrap --variant=minbase --include=clickhouse-server,clickhouse-client "$suite" "$root" ${mirror:+"$mirror"} >&2
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*

# The commented-out examples further down in config.xml hold listen_host, too:
# the first line behind the root element is none of them.
sed -i '0,/<yandex>/s//<yandex>\n    <listen_host>0.0.0.0<\/listen_host>/' "$root/etc/clickhouse-server/config.xml"
install -m 0755 /dev/stdin "$root/entrypoint.sh" <<'ENTRYPOINT'
#!/bin/sh
# Lets the user default in from everywhere, with the password that is asked for.
set -eu
password=$(printf %s "${CLICKHOUSE_PASSWORD:-}" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g')
cat >/etc/clickhouse-server/users.xml <<USERS
<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default>
<password>$password</password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
</default></users></yandex>
USERS
exec /usr/sbin/clickhouse-server --config-file=/etc/clickhouse-server/config.xml
ENTRYPOINT

tar -C "$root" -c . | docker import \
	--change 'ENTRYPOINT ["/entrypoint.sh"]' --change 'EXPOSE 8123 9000' \
	--message "ClickHouse of Debian $suite" - "$image" >&2
echo "$image"
