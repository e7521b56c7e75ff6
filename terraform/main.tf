locals {
  name       = "${var.name}-${var.environment}"
  everywhere = ["0.0.0.0/0", "::/0"]
  host       = var.domain == null ? null : var.subdomain == "@" ? var.domain : "${var.subdomain}.${var.domain}"
}

resource "digitalocean_ssh_key" "admin" {
  for_each   = var.ssh_public_keys
  name       = "${local.name}-${each.key}"
  public_key = each.value
}

# What must outlive the droplet: PostgreSQL, artifacts, the queue, certificates.
resource "digitalocean_volume" "data" {
  region                   = var.region
  name                     = "${local.name}-data"
  description              = "Data of ${local.name}"
  size                     = var.volume_size
  initial_filesystem_type  = "ext4"
  initial_filesystem_label = "devmesh-data"

  lifecycle {
    prevent_destroy = true
  }
}

resource "digitalocean_volume_attachment" "data" {
  droplet_id = digitalocean_droplet.mesh.id
  volume_id  = digitalocean_volume.data.id
}

resource "digitalocean_droplet" "mesh" {
  name              = local.name
  image             = var.droplet_image
  region            = var.region
  size              = var.droplet_size
  vpc_uuid          = digitalocean_vpc.mesh.id
  ssh_keys          = [for key in digitalocean_ssh_key.admin : key.fingerprint]
  monitoring        = true
  backups           = var.droplet_backups
  graceful_shutdown = true
  tags              = [var.name, var.environment]

  # Read by anybody on the droplet: it holds no secret. Those are made there, or brought by the operator.
  user_data = templatefile("${path.module}/cloud-init.yaml.tftpl", {
    ssh_public_keys = values(var.ssh_public_keys)
    prepare_script  = file("${path.module}/../deploy/prepare-droplet.sh")
    compose_unit    = file("${path.module}/../deploy/systemd/devmesh-compose.service")
    settings = {
      VOLUME_NAME    = digitalocean_volume.data.name
      REPOSITORY_URL = var.repository_url
      REVISION       = var.revision
      IMAGE_REGISTRY = "registry.digitalocean.com/${var.registry_name}"
      DEVMESH_DOMAIN = local.host == null ? "" : local.host
    }
  })

  lifecycle {
    # Both would make a new droplet. One that runs is changed by a deployment, its keys in /home/devmesh/.ssh.
    ignore_changes = [user_data, ssh_keys]
  }
}

resource "digitalocean_container_registry" "mesh" {
  count                  = var.create_registry ? 1 : 0
  name                   = var.registry_name
  subscription_tier_slug = var.registry_tier
  region                 = var.region
}

resource "digitalocean_project" "mesh" {
  name        = local.name
  description = "A self-hosted mesh of software-delivery agents"
  purpose     = "Service or API"
  environment = title(var.environment)
  resources = concat(
    [
      digitalocean_droplet.mesh.urn,
      digitalocean_volume.data.urn,
      digitalocean_reserved_ip.mesh.urn,
    ],
    [for bucket in digitalocean_spaces_bucket.backups : bucket.urn],
    digitalocean_domain.mesh[*].urn,
  )
}
