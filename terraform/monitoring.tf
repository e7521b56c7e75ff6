locals {
  # What the droplet itself tells, when the mesh's own Prometheus may be the one that is in trouble.
  droplet_alerts = {
    cpu    = { type = "v1/insights/droplet/cpu", value = 80, window = "5m", says = "CPU over 80 %" }
    memory = { type = "v1/insights/droplet/memory_utilization_percent", value = 90, window = "5m", says = "memory over 90 %" }
    disk   = { type = "v1/insights/droplet/disk_utilization_percent", value = 80, window = "10m", says = "disk over 80 %" }
    load   = { type = "v1/insights/droplet/load_5", value = 8, window = "10m", says = "load over 8" }
  }
  alerted = length(var.alert_emails) > 0
}

resource "digitalocean_monitor_alert" "droplet" {
  for_each    = local.alerted ? local.droplet_alerts : {}
  description = "${local.name}: ${each.value.says}"
  type        = each.value.type
  compare     = "GreaterThan"
  value       = each.value.value
  window      = each.value.window
  enabled     = true
  entities    = [digitalocean_droplet.mesh.id]

  alerts {
    email = var.alert_emails
  }
}

resource "digitalocean_uptime_check" "gateway" {
  count   = local.host != null ? 1 : 0
  name    = "${local.name} gateway"
  target  = "https://${local.host}/health/live"
  type    = "https"
  regions = ["eu_west", "us_east"]
  enabled = true
}

resource "digitalocean_uptime_alert" "down" {
  count      = local.host != null && local.alerted ? 1 : 0
  name       = "${local.name} is down"
  check_id   = digitalocean_uptime_check.gateway[0].id
  type       = "down_global"
  threshold  = 1
  comparison = "less_than"
  period     = "2m"

  notifications {
    email = var.alert_emails
  }
}

resource "digitalocean_uptime_alert" "certificate" {
  count      = local.host != null && local.alerted ? 1 : 0
  name       = "${local.name}: the certificate ends soon"
  check_id   = digitalocean_uptime_check.gateway[0].id
  type       = "ssl_expiry"
  threshold  = 14
  comparison = "less_than"
  period     = "1h"

  notifications {
    email = var.alert_emails
  }
}
