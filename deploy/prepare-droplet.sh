#!/bin/sh
# Makes a machine ready for the mesh: disk, folders, secrets, the unit that starts the stack at boot; and starts the stack when
# a revision is named. Run as root, by cloud-init and by hand; again and again does no harm: what is there stays.
# Reads /etc/devmesh/droplet.env: VOLUME_NAME, REPOSITORY_URL, REVISION, IMAGE_REGISTRY, DEVMESH_DOMAIN.
set -eu

settings=${DEVMESH_DROPLET_ENV:-/etc/devmesh/droplet.env}
home=${DEVMESH_DEPLOY_HOME:-/opt/devmesh}
owner=${DEVMESH_DEPLOY_USER:-devmesh}
VOLUME_NAME='' REPOSITORY_URL='' REVISION='' IMAGE_REGISTRY='' DEVMESH_DOMAIN=''
# shellcheck source=/dev/null
. "$settings"

say() { printf '%s\n' "prepare-droplet: $*"; }

# The volume outlives the droplet, and with it what Docker keeps: volumes of the containers, images, logs.
mount_volume() {
  device=/dev/disk/by-id/scsi-0DO_Volume_$VOLUME_NAME
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    [ -e "$device" ] && break
    say "waiting for $device"
    sleep 10
  done
  [ -e "$device" ] || { say "the volume $VOLUME_NAME is not attached: attach it, then run this again" >&2; exit 1; }
  mkdir -p /mnt/devmesh
  grep -q " /mnt/devmesh " /etc/fstab || printf '%s /mnt/devmesh ext4 defaults,noatime,nofail 0 2\n' "$device" >>/etc/fstab
  mountpoint -q /mnt/devmesh || mount /mnt/devmesh
  mkdir -p /mnt/devmesh/docker
  # At boot Docker waits for the disk.
  mkdir -p /etc/systemd/system/docker.service.d
  printf '[Unit]\nRequiresMountsFor=/mnt/devmesh\n' >/etc/systemd/system/docker.service.d/10-volume.conf
  systemctl daemon-reload
  if [ ! -L /var/lib/docker ]; then
    systemctl stop docker.socket docker
    rm -rf /var/lib/docker
    ln -s /mnt/devmesh/docker /var/lib/docker
    systemctl start docker
  fi
}

# A secret that is there is never made anew: data is under it.
make_secret() {
  file=$home/shared/secrets/$1
  [ -s "$file" ] && return
  (umask 077 && printf '%s%s\n' "${2:-}" "$(openssl rand -hex 32)" >"$file")
}

[ -z "$VOLUME_NAME" ] || mount_volume

mkdir -p "$home/releases" "$home/shared/secrets"
chmod 0700 "$home/shared/secrets"
for name in internal-token postgres-password queue-password backup-key; do make_secret "$name"; done
make_secret api-key dm_
# Empty where no store of backups wants one.
[ -e "$home/shared/secrets/s3-secret-access-key" ] || (umask 077 && : >"$home/shared/secrets/s3-secret-access-key")
if [ ! -e "$home/shared/.env" ]; then
  (
    umask 077
    printf 'IMAGE_REGISTRY=%s\nDEVMESH_DOMAIN=%s\nDEVMESH_SECRETS=%s\n' "$IMAGE_REGISTRY" "$DEVMESH_DOMAIN" "$home/shared/secrets" >"$home/shared/.env"
  )
fi

if [ -n "$REVISION" ] && [ -n "$REPOSITORY_URL" ] && [ ! -e "$home/current" ]; then
  release=$home/releases/$REVISION
  rm -rf "$release.part"
  git init --quiet "$release.part"
  git -C "$release.part" fetch --quiet --depth 1 "$REPOSITORY_URL" "$REVISION"
  git -C "$release.part" checkout --quiet FETCH_HEAD
  rm -rf "$release.part/.git" "$release"
  mv "$release.part" "$release"
  ln -sfn "releases/$REVISION" "$home/current"
  say "release $REVISION is in place"
fi
chown -R "$owner:$owner" "$home"

systemctl daemon-reload
systemctl enable devmesh-compose.service
if [ -e "$home/current" ]; then
  systemctl start devmesh-compose.service
else
  say "no release yet: deploy/deploy-to-droplet.sh brings the first one"
fi
