output "address" {
  description = "The reserved IP: what deploy-to-droplet.sh is told as --host, with user devmesh."
  value       = digitalocean_reserved_ip.mesh.ip_address
}

output "url" {
  description = "Where the gateway is reached; null without a domain."
  value       = local.host == null ? null : "https://${local.host}"
}

output "droplet_id" {
  description = "Of the droplet, for doctl."
  value       = digitalocean_droplet.mesh.id
}

output "registry" {
  description = "Where images are pushed to and pulled from: IMAGE_REGISTRY."
  value       = "registry.digitalocean.com/${var.registry_name}"
}

output "backup_target" {
  description = "DEVMESH_BACKUP_TARGET."
  value       = "https://${var.region}.digitaloceanspaces.com/${digitalocean_spaces_bucket.backups[var.region].name}/mesh?region=us-east-1"
}

output "backup_copy_target" {
  description = "DEVMESH_BACKUP_COPY_TARGET."
  value       = "https://${var.copy_region}.digitaloceanspaces.com/${digitalocean_spaces_bucket.backups[var.copy_region].name}/mesh?region=us-east-1"
}

output "backup_access_key_id" {
  description = "DEVMESH_BACKUP_S3_ACCESS_KEY_ID."
  value       = digitalocean_spaces_key.backups.access_key
  sensitive   = true
}

output "backup_secret_access_key" {
  description = "Goes into the file of DEVMESH_BACKUP_S3_SECRET_ACCESS_KEY_FILE."
  value       = digitalocean_spaces_key.backups.secret_key
  sensitive   = true
}
