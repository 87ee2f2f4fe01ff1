#!/usr/bin/env bash
# examples/demo.sh PROGRAM: pulls a 256 MB file from nginx on loopback through two cut connections,
# verifies it, and prints where it lies and how long each part took.
set -euo pipefail
program=${1:?the causeway program}
command -v nginx >/dev/null || {
  echo "nginx is not installed: the demonstration needs it (Debian: apt-get install nginx-light)"
  exec "$program" --help
}
folder=$(mktemp -d)
trap '[ ! -f "$folder/nginx.pid" ] || kill "$(cat "$folder/nginx.pid")" 2>/dev/null || true; rm -rf "$folder"' EXIT
mkdir "$folder/www"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$folder/nginx.conf" <<CONF
daemon on;
pid $folder/nginx.pid;
error_log $folder/error.log;
worker_processes 1;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path $folder/body; proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi; uwsgi_temp_path $folder/uwsgi; scgi_temp_path $folder/scgi;
  server { listen 127.0.0.1:$port; root $folder/www; limit_rate 60m; }
}
CONF
seconds() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(seconds)" 'BEGIN {printf "%.2f s", b - a}'; }
cut_connection() {
  kill -9 $(ps -o pid= --ppid "$(cat "$folder/nginx.pid")") 2>/dev/null || true
}

begin=$(seconds)
head -c 256M /dev/urandom >"$folder/www/model.bin"
chmod 755 "$folder" "$folder/www"
sum=$(sha256sum "$folder/www/model.bin" | cut -d' ' -f1)
nginx -c "$folder/nginx.conf" -p "$folder" 2>/dev/null
echo "a 256 MB file on 127.0.0.1:$port                      $(since "$begin")"

begin=$(seconds)
"$program" pull "http://127.0.0.1:$port/model.bin" --sha256 "$sum" --dir "$folder/models" >"$folder/path" &
pull=$!
sleep 1
cut_connection
sleep 1.5
cut_connection
wait $pull
echo "pulled through two cut connections                $(since "$begin")"
begin=$(seconds)
"$program" model verify model.bin --dir "$folder/models"
echo "read again and verified                           $(since "$begin")"
begin=$(seconds)
"$program" pull "http://127.0.0.1:$port/model.bin" --sha256 "$sum" --dir "$folder/models" --quiet
echo "a second pull makes no request                    $(since "$begin")"
