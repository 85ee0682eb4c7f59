#!/usr/bin/env bash
# Makes the zip of the worker's function: the package with what it needs, the entry, and the database's certificates.
#   infra/cdk/lambda/build.sh spanledger-0.1.0.tgz database.pem worker.zip
set -eu
tarball=$(realpath "$1")
certificates=$(realpath "$2")
zip=$(realpath -m "$3")
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$here/entry.mjs" "$folder/"
cp "$certificates" "$folder/database.pem"
cd "$folder"
npm init --yes > /dev/null
npm install --omit=dev --omit=optional --no-audit --no-fund "$tarball"
zip --quiet --recurse-paths "$zip" .
