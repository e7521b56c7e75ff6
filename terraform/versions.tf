terraform {
  required_version = ">= 1.8.0"

  required_providers {
    digitalocean = {
      source  = "digitalocean/digitalocean"
      version = "~> 2.60"
    }
  }

  # The state holds the keys of the buckets: keep it in a bucket that only administrators reach, and name it at init
  # (backend.hcl.example).
  backend "s3" {}
}

# DIGITALOCEAN_TOKEN, SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY come from the environment, never from a file here.
provider "digitalocean" {}
