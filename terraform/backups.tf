locals {
  # The mesh keeps 7 daily, 4 weekly and 3 monthly backups by itself; these rules are for what it could not remove.
  backup_days      = 120
  overwritten_days = 30
  abandoned_days   = 3
}

# Beside the droplet, and a copy of each for the day on which that region is gone.
resource "digitalocean_spaces_bucket" "backups" {
  for_each = toset([var.region, var.copy_region])
  name     = "${local.name}-backups-${each.key}"
  region   = each.key
  acl      = "private"

  # Whoever has the mesh's key can remove a backup, but not its versions at once.
  versioning {
    enabled = true
  }

  lifecycle_rule {
    id                                     = "expire"
    enabled                                = true
    abort_incomplete_multipart_upload_days = local.abandoned_days

    expiration {
      days = local.backup_days
    }

    noncurrent_version_expiration {
      days = local.overwritten_days
    }
  }
}

# Reaches these two buckets and nothing else.
resource "digitalocean_spaces_key" "backups" {
  name = "${local.name}-backups"

  dynamic "grant" {
    for_each = digitalocean_spaces_bucket.backups
    content {
      bucket     = grant.value.name
      permission = "readwrite"
    }
  }
}
