resource "digitalocean_vpc" "mesh" {
  name        = "${local.name}-network"
  description = "Private network of ${local.name}"
  region      = var.region
  ip_range    = var.vpc_ip_range
}

resource "digitalocean_reserved_ip" "mesh" {
  region = var.region
}

resource "digitalocean_reserved_ip_assignment" "mesh" {
  ip_address = digitalocean_reserved_ip.mesh.ip_address
  droplet_id = digitalocean_droplet.mesh.id
}

resource "digitalocean_firewall" "mesh" {
  #checkov:skip=CKV_DIO_4: ports 80 and 443 are the public door; port 22 is for the administrators' addresses, which a validation holds to.
  name        = "${local.name}-firewall"
  droplet_ids = [digitalocean_droplet.mesh.id]

  inbound_rule {
    protocol         = "tcp"
    port_range       = "22"
    source_addresses = var.admin_addresses
  }

  # 80 redirects, and answers the questions of Let's Encrypt.
  dynamic "inbound_rule" {
    for_each = ["80", "443"]
    content {
      protocol         = "tcp"
      port_range       = inbound_rule.value
      source_addresses = local.everywhere
    }
  }

  dynamic "inbound_rule" {
    for_each = var.open_service_ports ? ["8000-8008"] : []
    content {
      protocol         = "tcp"
      port_range       = inbound_rule.value
      source_addresses = var.admin_addresses
    }
  }

  # Registries, stores, forges and models are reached by names that have no fixed addresses.
  dynamic "outbound_rule" {
    for_each = ["tcp", "udp"]
    content {
      protocol              = outbound_rule.value
      port_range            = "1-65535"
      destination_addresses = local.everywhere
    }
  }

  outbound_rule {
    protocol              = "icmp"
    destination_addresses = local.everywhere
  }
}

data "digitalocean_domain" "mesh" {
  count = var.domain != null && !var.create_domain ? 1 : 0
  name  = var.domain
}

resource "digitalocean_domain" "mesh" {
  count = var.domain != null && var.create_domain ? 1 : 0
  name  = var.domain
}

resource "digitalocean_record" "mesh" {
  count  = var.domain != null ? 1 : 0
  domain = one(concat(data.digitalocean_domain.mesh[*].name, digitalocean_domain.mesh[*].name))
  type   = "A"
  name   = var.subdomain
  value  = digitalocean_reserved_ip.mesh.ip_address
  ttl    = 300
}

# Only Let's Encrypt may certify the name.
resource "digitalocean_record" "certificates" {
  count  = var.domain != null ? 1 : 0
  domain = digitalocean_record.mesh[0].domain
  type   = "CAA"
  name   = var.subdomain
  flags  = 0
  tag    = "issue"
  value  = "letsencrypt.org."
  ttl    = 3600
}
