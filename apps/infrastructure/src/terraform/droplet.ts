import { GENERATED_MARK } from '@devmesh/analysis/stack/containers';
import { nameAll, type BuiltComponent } from '../compose/compose-file.js';

const FOLDER = 'terraform';
const MARK = `# ${GENERATED_MARK}. Yours to change: it is never written over.\n`;

const VERSIONS = `${MARK}terraform {
  required_version = ">= 1.8.0"

  required_providers {
    digitalocean = {
      source  = "digitalocean/digitalocean"
      version = "~> 2.60"
    }
  }
}

# DIGITALOCEAN_TOKEN comes from the environment, never from a file here.
provider "digitalocean" {}
`;

const MAIN = `${MARK}resource "digitalocean_ssh_key" "admin" {
  for_each   = var.ssh_public_keys
  name       = "\${var.name}-\${each.key}"
  public_key = each.value
}

resource "digitalocean_vpc" "app" {
  name   = "\${var.name}-network"
  region = var.region
}

resource "digitalocean_droplet" "app" {
  name              = var.name
  image             = "ubuntu-24-04-x64"
  region            = var.region
  size              = var.droplet_size
  vpc_uuid          = digitalocean_vpc.app.id
  ssh_keys          = [for key in digitalocean_ssh_key.admin : key.fingerprint]
  monitoring        = true
  backups           = true
  graceful_shutdown = true
  tags              = [var.name]

  # Read by anybody on the droplet: it holds no secret. Those are put into /opt/app/.env by the operator.
  user_data = templatefile("\${path.module}/cloud-init.yaml.tftpl", {
    ssh_public_keys = values(var.ssh_public_keys)
    repository_url  = var.repository_url
    revision        = var.revision
    domain          = var.domain
    port            = var.public_port
  })

  lifecycle {
    # Both would make a new droplet.
    ignore_changes = [user_data, ssh_keys]
  }
}

resource "digitalocean_reserved_ip" "app" {
  region = var.region
}

resource "digitalocean_reserved_ip_assignment" "app" {
  ip_address = digitalocean_reserved_ip.app.ip_address
  droplet_id = digitalocean_droplet.app.id
}

resource "digitalocean_firewall" "app" {
  #checkov:skip=CKV_DIO_4: ports 80 and 443 are the public door; port 22 is for the administrators' addresses, which a validation holds to.
  name        = "\${var.name}-firewall"
  droplet_ids = [digitalocean_droplet.app.id]

  inbound_rule {
    protocol         = "tcp"
    port_range       = "22"
    source_addresses = var.admin_addresses
  }

  dynamic "inbound_rule" {
    for_each = ["80", "443"]
    content {
      protocol         = "tcp"
      port_range       = inbound_rule.value
      source_addresses = ["0.0.0.0/0", "::/0"]
    }
  }

  dynamic "outbound_rule" {
    for_each = ["tcp", "udp"]
    content {
      protocol              = outbound_rule.value
      port_range            = "1-65535"
      destination_addresses = ["0.0.0.0/0", "::/0"]
    }
  }
}
`;

const OUTPUTS = `${MARK}output "address" {
  description = "Where the domain must point to."
  value       = digitalocean_reserved_ip.app.ip_address
}
`;

const CLOUD_INIT = `#cloud-config
${MARK}# Run once, at the first boot. Put .env with the secrets into /opt/app, then: systemctl start app
package_update: true
package_upgrade: true
packages:
  - caddy
  - docker-compose-v2
  - docker.io
  - git
  - unattended-upgrades

ssh_pwauth: false
disable_root: true

users:
  - name: operator
    groups: [docker]
    shell: /bin/bash
    lock_passwd: true
    sudo: "ALL=(ALL) NOPASSWD:ALL"
    ssh_authorized_keys:
%{ for key in ssh_public_keys ~}
      - \${jsonencode(trimspace(key))}
%{ endfor ~}

write_files:
  - path: /etc/docker/daemon.json
    permissions: "0644"
    content: |
      {
        "log-driver": "json-file",
        "log-opts": { "max-size": "10m", "max-file": "5" },
        "live-restore": true,
        "no-new-privileges": true
      }
  - path: /etc/caddy/Caddyfile
    permissions: "0644"
    content: |
      \${domain} {
        reverse_proxy 127.0.0.1:\${port}
      }
  - path: /etc/systemd/system/app.service
    permissions: "0644"
    content: |
      [Unit]
      Requires=docker.service
      After=docker.service network-online.target
      ConditionPathExists=/opt/app/.env
      [Service]
      Type=oneshot
      RemainAfterExit=yes
      WorkingDirectory=/opt/app
      ExecStart=/usr/bin/docker compose up --detach --build --wait
      ExecStop=/usr/bin/docker compose stop
      TimeoutStartSec=1800
      [Install]
      WantedBy=multi-user.target

runcmd:
  - [git, clone, --, \${jsonencode(repository_url)}, /opt/app]
  - [git, -C, /opt/app, checkout, --detach, \${jsonencode(revision)}]
  - [chown, -R, "operator:operator", /opt/app]
  - [systemctl, restart, docker, caddy]
  - [systemctl, enable, --now, app]
`;

/** Terraform for a droplet that runs the compose file behind Caddy; empty when no component has a port. */
export function terraformFiles(built: readonly BuiltComponent[]): Map<string, string> {
  const named = nameAll(built, []);
  const called = new Set(
    named.flatMap(({ report }) => report.environment.map(({ fallback }) => /:(\d+)/.exec(fallback ?? '')?.[1])),
  );
  const open = named.filter(({ hostPort }) => hostPort !== undefined);
  // What no other component calls is what people call.
  const door = open.find(({ port }) => !called.has(port)) ?? open[0];
  if (!door?.hostPort) return new Map();
  return new Map([
    [`${FOLDER}/versions.tf`, VERSIONS],
    [`${FOLDER}/main.tf`, MAIN],
    [`${FOLDER}/outputs.tf`, OUTPUTS],
    [`${FOLDER}/cloud-init.yaml.tftpl`, CLOUD_INIT],
    [`${FOLDER}/variables.tf`, variables(named.length === 1 ? door.name.replaceAll('_', '-') : 'app', door.hostPort)],
  ]);
}

function variables(name: string, port: string): string {
  return `${MARK}variable "name" {
  description = "What everything is named after."
  type        = string
  default     = "${name}"
  nullable    = false
}

variable "region" {
  description = "Where everything is."
  type        = string
  default     = "fra1"
  nullable    = false
}

variable "droplet_size" {
  description = "Size of the droplet."
  type        = string
  default     = "s-2vcpu-4gb"
  nullable    = false
}

variable "repository_url" {
  description = "Where the droplet gets the code, without credentials in it."
  type        = string
  nullable    = false
}

variable "revision" {
  description = "Tag or commit that is run."
  type        = string
  nullable    = false
}

variable "domain" {
  description = "Name under which Caddy serves it, with a certificate of its own."
  type        = string
  nullable    = false
}

variable "public_port" {
  description = "Port on the droplet's loopback that the compose file opens for the public."
  type        = number
  default     = ${port}
  nullable    = false
}

variable "ssh_public_keys" {
  description = "Public keys of the administrators, by name."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.ssh_public_keys) > 0
    error_message = "Without a key nobody could reach the droplet."
  }
}

variable "admin_addresses" {
  description = "Networks from which port 22 is reached, in CIDR notation."
  type        = list(string)
  nullable    = false

  validation {
    condition     = alltrue([for one in var.admin_addresses : can(cidrhost(one, 0)) && !contains(["0.0.0.0/0", "::/0"], one)])
    error_message = "Port 22 is for networks in CIDR notation, not for the whole internet."
  }
}
`;
}
