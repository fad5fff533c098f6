#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: a C compiler (for the
# race detector), MariaDB, Galera and Postfix, of which the tests start private
# instances, rsync with which Galera's nodes copy their data, Chromium for the
# tests of the pages, Node with npm for them and for a vendor's SDK, Java with
# Saxon for PageSeeder's own mail templates, pytest for an example, and promtool for the alert rules.
# Services of installed packages are neither started nor set up, and nothing that
# is installed is removed, as another mail server would be.
set -euo pipefail

packages=()
need() { # need PACKAGE COMMAND...: PACKAGE is missing where none of its commands is there
  local package=$1 command
  shift
  for command in "$@"; do
    if PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$command" >/dev/null; then
      return
    fi
  done
  packages+=("$package")
}

need gcc gcc cc clang
need mariadb-server mariadbd mysqld
need libxml2-utils xmllint
need mariadb-server wsrep_sst_rsync # its core alone has a server, and not this
need nodejs node
need chromium chromium chromium-browser google-chrome
need npm npm
need rsync rsync
need postfix postfix
need prometheus promtool # checks the alert rules
# Saxon renders PageSeeder's own mail templates; its source-file launcher needs javac.
need default-jdk-headless javac
if [ ! -e /usr/share/java/Saxon-HE.jar ]; then packages+=(libsaxonhe-java); fi
if ! /usr/bin/python3 -c 'import pytest' 2>/dev/null && ! python3 -c 'import pytest' 2>/dev/null; then packages+=(python3-pytest); fi
# A library, not a command: its place is the package's.
if [ ! -e /usr/lib/galera/libgalera_smm.so ]; then packages+=(galera-4); fi
# The C library's headers come apart from the compiler.
if [ ! -e /usr/include/stdlib.h ]; then packages+=(libc6-dev); fi

if [ ${#packages[@]} -eq 0 ]; then exit 0; fi
echo "missing: ${packages[*]}" >&2

if ! command -v apt-get >/dev/null; then
  echo "no apt-get here: please install ${packages[*]} yourself" >&2
  exit 1
fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null && [ ! -t 0 ]; then
    echo "not root, and no sudo without a password: please run: apt-get install ${packages[*]}" >&2
    exit 1
  fi
  sudo=(sudo)
fi

# Debian's maintainer scripts ask policy-rc.d before they start a service.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap '"${sudo[@]}" rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee $policy >/dev/null
  "${sudo[@]}" chmod 755 $policy
fi
# Without an answer Postfix would become the machine's mail server.
if [[ " ${packages[*]} " == *' postfix '* ]]; then
  echo 'postfix postfix/main_mailer_type select No configuration' | "${sudo[@]}" debconf-set-selections
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends --no-remove "${packages[@]}"
