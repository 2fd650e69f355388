#!/bin/sh
# Serves /www and says which pod it is under /pod; ends at once when asked to.
hostname > /www/pod
echo "serving on :8080"
trap 'kill "$server"; exit 0' TERM INT
httpd -f -v -p 8080 -h /www &
server=$!
wait "$server"
