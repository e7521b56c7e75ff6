variable "name" {
  description = "What everything is named after. Part of the names of the buckets, which are unique at DigitalOcean."
  type        = string
  default     = "devmesh"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name has 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "environment" {
  description = "staging or production: part of the names, and the environment of the project."
  type        = string
  default     = "production"
  nullable    = false

  validation {
    condition     = contains(["staging", "production"], var.environment)
    error_message = "The environment is staging or production."
  }
}

variable "region" {
  description = "Where droplet, volume and first bucket are."
  type        = string
  default     = "fra1"
  nullable    = false
}

variable "copy_region" {
  description = "Where the copy of each backup is kept: another region."
  type        = string
  default     = "ams3"
  nullable    = false

  validation {
    condition     = var.copy_region != var.region
    error_message = "The copy of the backups must be in another region than the droplet."
  }
}

variable "droplet_size" {
  description = "Size of the droplet. The nine services, PostgreSQL, Valkey, Qdrant and Consul take about 5 GB."
  type        = string
  default     = "s-4vcpu-8gb"
  nullable    = false
}

variable "droplet_image" {
  description = "An Ubuntu image: cloud-init installs Docker from its packages."
  type        = string
  default     = "ubuntu-24-04-x64"
  nullable    = false
}

variable "droplet_backups" {
  description = "Whether DigitalOcean takes a weekly image of the droplet, beside the mesh's own backups."
  type        = bool
  default     = true
  nullable    = false
}

variable "volume_size" {
  description = "GiB of the volume that holds the data of the containers."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.volume_size >= 10 && var.volume_size <= 16384
    error_message = "The volume has 10 to 16384 GiB."
  }
}

variable "ssh_public_keys" {
  description = "Public keys of the administrators, by name."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.ssh_public_keys) > 0
    error_message = "Without a key nobody could reach the droplet: name at least one."
  }

  validation {
    condition     = alltrue([for key in values(var.ssh_public_keys) : can(regex("^(ssh-ed25519|ecdsa-sha2-|sk-|ssh-rsa) ?", key))])
    error_message = "Each is a public key of OpenSSH, such as the content of ~/.ssh/id_ed25519.pub."
  }
}

variable "admin_addresses" {
  description = "From where port 22 is reached, in CIDR notation."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.admin_addresses) > 0 && alltrue([for address in var.admin_addresses : can(cidrhost(address, 0))])
    error_message = "Name at least one address in CIDR notation, such as 203.0.113.7/32."
  }

  validation {
    condition     = !contains(var.admin_addresses, "0.0.0.0/0") && !contains(var.admin_addresses, "::/0")
    error_message = "Port 22 is not for the whole internet: name the addresses of the administrators."
  }
}

variable "open_service_ports" {
  description = "Whether the administrators reach ports 8000 to 8008 without a tunnel. Those beside 8000 want the internal token alone."
  type        = bool
  default     = false
  nullable    = false
}

variable "vpc_ip_range" {
  description = "Private addresses of the network."
  type        = string
  default     = "10.20.0.0/24"
  nullable    = false
}

variable "domain" {
  description = "The domain under which the mesh is reached. Null: no DNS, and no certificate."
  type        = string
  default     = null
}

variable "subdomain" {
  description = "The name within the domain; @ for the domain itself."
  type        = string
  default     = "devmesh"
  nullable    = false
}

variable "create_domain" {
  description = "Whether the domain is made here, or is at DigitalOcean already."
  type        = bool
  default     = false
  nullable    = false
}

variable "create_registry" {
  description = "Whether the container registry is made here. There is one for each account; false where it is there already."
  type        = bool
  default     = true
  nullable    = false
}

variable "registry_name" {
  description = "Name of the container registry; unique at DigitalOcean."
  type        = string
  default     = "devmesh"
  nullable    = false
}

variable "registry_tier" {
  description = "starter, basic or professional. Nine images want more than starter's one repository."
  type        = string
  default     = "basic"
  nullable    = false

  validation {
    condition     = contains(["starter", "basic", "professional"], var.registry_tier)
    error_message = "The tier is starter, basic or professional."
  }
}

variable "alert_emails" {
  description = "Who is told when the droplet is in trouble; addresses that are verified at DigitalOcean. None: no alerts."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "repository_url" {
  description = "Where cloud-init gets compose files from, by https and without credentials. Empty: the first deployment brings them."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.repository_url == "" || can(regex("^https://[^@]+$", var.repository_url))
    error_message = "It is an https address without user and password: what cloud-init is told is no secret."
  }
}

variable "revision" {
  description = "The git revision that cloud-init starts: 40 hexadecimal digits, as the images are tagged. Empty: the first deployment starts the stack."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.revision == "" || can(regex("^[0-9a-f]{40}$", var.revision))
    error_message = "A revision has 40 hexadecimal digits: git rev-parse HEAD."
  }
}
