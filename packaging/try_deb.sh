#!/usr/bin/env bash
# Installs a .deb into a clean Debian 12 and uses it there, as packaging/Dockerfile does in its second stage:
#   packaging/try_deb.sh PACKAGE.deb [FOLDER]     FOLDER: of the clean system; build/debian-12 otherwise. As root
set -euo pipefail
package=$(realpath "$1") root=${2:-build/debian-12}
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
say() { printf '%s\n' "try_deb: $*" >&2; }

# The mirror that this machine itself uses.
mirror=$(grep -rhoE '(https?|file)://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -n 1 || true)
if [[ ! -x $root/usr/bin/apt-get ]]; then
  [[ -n $mirror ]] || { say "the apt sources of this machine name no mirror of Debian to take a clean system from"; exit 1; }
  say "a clean Debian 12 into $root, from $mirror"
  rm -rf "$root"
  mkdir -p "$root"
  debootstrap --variant=minbase bookworm "$root" "${mirror// /}" >"$root.log" 2>&1 || { tail "$root.log" >&2; exit 1; }
fi
root=$(realpath "$root")

# A mount namespace of its own: what is mounted here is gone with it.
unshare --mount --pid --fork --kill-child bash -euo pipefail -s "$root" "$package" "$here" <<'INSIDE'
root=$1 package=$2 here=$3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"  # with /dev/pts, for apt's log
[[ ! -f /etc/resolv.conf ]] || cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp "$package" "$root/tmp/pagoda.deb"
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
inside apt-get -qq update
inside apt-get -qq purge -y pagoda >/dev/null 2>&1 || true
inside apt-get -qq install -y --no-install-recommends /tmp/pagoda.deb >/dev/null
inside bash -euc 'id pagoda >/dev/null 2>&1 || useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin pagoda
  rm -rf /tmp/try && mkdir /tmp/try && chown pagoda /tmp/try'
# The words before a command, not a function: a process in the background is then the command itself, which signals reach.
as_user=(chroot --userspec=10001:10001 "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/tmp/try)

"${as_user[@]}" pagoda --version
if "${as_user[@]}" ldd /usr/bin/pagoda /usr/lib/libpagoda.so | grep -q 'not found'; then
  "${as_user[@]}" ldd /usr/bin/pagoda >&2
  exit 1
fi
"${as_user[@]}" bash -euc 'cd /tmp/try
  pagoda -q simulate world --interactions 3000 --users 120 --items 300 --format csv -o world
  pagoda -q init world/interactions.csv --items world/items.csv -o pagoda.toml
  pagoda -q train -c pagoda.toml --set train.epochs=1 -o model.pagoda
  head -n 3 world/users.csv | tail -n 2 | cut -d, -f1 >users.txt
  pagoda -q retrieve model.pagoda --users users.txt --k 5 -o candidates.tsv
  [[ $(wc -l <candidates.tsv) -ge 10 ]]'

# The command of the image and its health check, as they stand in the Dockerfile.
words() {
  python3 - "$here/Dockerfile" "$1" <<'PYTHON'
import json, re, sys
text = open(sys.argv[1]).read().replace("\\\n", " ")
found = [line for line in text.splitlines() if re.match(sys.argv[2] + r"\b", line)][-1]
print("\0".join(json.loads(found[found.index("["):])), end="\0")
PYTHON
}
mapfile -d '' -t entry < <(words ENTRYPOINT)
mapfile -d '' -t command < <(words CMD)
mapfile -d '' -t health < <(words HEALTHCHECK)
mkdir -p "$root/models"
cp "$root/tmp/try/model.pagoda" "$root/models/"
chmod -R a+rX "$root/models"
"${as_user[@]}" "${entry[@]}" "${command[@]}" &
server=$!
for ((i = 0; i < 100; ++i)); do
  if "${as_user[@]}" "${health[@]}" 2>/dev/null; then break; fi
  sleep 0.2
done
"${as_user[@]}" "${health[@]}"
kill "$server"
wait "$server"
echo "installed, trained, answered, served and ended with status 0"
INSIDE
