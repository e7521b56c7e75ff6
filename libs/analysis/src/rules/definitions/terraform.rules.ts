import * as terraform from '../../manifests/terraform.js';
import type { FileCheck, RuleDefinition } from '../rule.js';

const resource = (type: string, lines: string): string =>
  `resource "${type}" "a" {\n${lines
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')}\n}\n`;
type Part = Pick<RuleDefinition, 'id' | 'class' | 'severity' | 'message' | 'examples'> & Partial<RuleDefinition>;
const rule = (part: Part, file: FileCheck): RuleDefinition => ({
  confidence: 'high',
  languages: ['terraform'],
  skipsTests: true,
  references: ['https://owasp.org/www-project-cloud-native-application-security-top-10/'],
  matches: { file },
  ...part,
});
const ingress = (port: number, from: string): string =>
  resource(
    'aws_security_group',
    `ingress {\n  from_port   = ${port}\n  to_port     = ${port}\n  protocol    = "tcp"\n  cidr_blocks = ${from}\n}`,
  );
const policy = (statement: string): string =>
  resource('aws_iam_policy', `policy = jsonencode({\n  Statement = [{ ${statement} }]\n})`);

/** What resources of AWS, Google, Azure and DigitalOcean open, show and leave unprotected. */
export const TERRAFORM_RULES: readonly RuleDefinition[] = [
  rule(
    {
      id: 'tf-open-ingress',
      class: 'network-open',
      severity: 'high',
      message:
        'Everybody on the internet reaches a port of administration or of a store. Allow the addresses that need it, or go through a bastion or a VPN.',
      examples: {
        bad: [
          ingress(22, '["0.0.0.0/0"]'),
          resource(
            'google_compute_firewall',
            'allow {\n  protocol = "tcp"\n  ports    = ["20-25"]\n}\nsource_ranges = ["0.0.0.0/0"]',
          ),
          resource(
            'azurerm_network_security_rule',
            'direction              = "Inbound"\naccess                 = "Allow"\nsource_address_prefix  = "*"\ndestination_port_range = "3389"',
          ),
        ],
        good: [
          ingress(443, '["0.0.0.0/0"]'),
          ingress(22, '[var.office]'),
          resource(
            'digitalocean_firewall',
            'inbound_rule {\n  protocol         = "tcp"\n  port_range       = "22"\n  source_addresses = ["192.0.2.0/24"]\n}',
          ),
        ],
      },
    },
    terraform.openIngress,
  ),
  rule(
    {
      id: 'tf-public-access',
      class: 'public-access',
      severity: 'high',
      message:
        'Everybody on the internet can read this, or reach it. Keep it private, and hand out signed addresses or put a distribution before it.',
      examples: {
        bad: [
          resource('aws_s3_bucket_acl', 'bucket = "a"\nacl    = "public-read"'),
          resource('aws_db_instance', 'publicly_accessible = true'),
          resource('google_storage_bucket_iam_member', 'member = "allUsers"'),
        ],
        good: [
          resource('aws_s3_bucket_acl', 'bucket = "a"\nacl    = "private"'),
          resource('aws_db_instance', 'publicly_accessible = var.public'),
          resource('google_storage_bucket_iam_member', 'member = "user:a@example.org"'),
        ],
      },
    },
    terraform.publicAccess,
  ),
  rule(
    {
      id: 'tf-unencrypted',
      class: 'encryption',
      severity: 'medium',
      message:
        'What is stored or sent here can be read by whoever gets at the disk, a snapshot or the line. Turn encryption on.',
      examples: {
        bad: [
          resource('aws_db_instance', 'engine = "postgres"'),
          resource('aws_ebs_volume', 'encrypted = false'),
          resource('azurerm_storage_account', 'https_traffic_only_enabled = false'),
        ],
        good: [
          resource('aws_db_instance', 'storage_encrypted = true'),
          resource('aws_ebs_volume', 'encrypted = var.encrypted'),
          resource('azurerm_storage_account', 'https_traffic_only_enabled = true'),
        ],
      },
    },
    terraform.withoutEncryption,
  ),
  rule(
    {
      id: 'tf-wide-rights',
      class: 'iam',
      severity: 'high',
      message: 'Whoever has this may do everything, or anybody has it. Name the actions, the resources and who may.',
      examples: {
        bad: [
          policy('Effect = "Allow", Action = "*", Resource = "*"'),
          'data "aws_iam_policy_document" "a" {\n  statement {\n    actions   = ["*"]\n    resources = ["*"]\n  }\n}\n',
          resource('google_project_iam_member', 'role = "roles/owner"'),
        ],
        good: [
          policy('Effect = "Allow", Action = ["s3:GetObject"], Resource = "*"'),
          policy('Effect = "Deny", Action = "*", Resource = "*"'),
          resource('google_project_iam_member', 'role = "roles/viewer"'),
        ],
      },
    },
    terraform.wideRights,
  ),
  rule(
    {
      id: 'tf-literal-secret',
      class: 'hardcoded-secret',
      cwe: 798,
      severity: 'high',
      confidence: 'medium',
      message:
        'A credential stands in this file, so everybody who sees the repository has it. Take it from a variable without a default, or from a secret store.',
      examples: {
        bad: [
          resource('aws_db_instance', 'password = "k3ttleLamp9"'),
          'variable "api_token" {\n  default = "9f2c77aa01be"\n}\n',
          'provider "a" {\n  client_secret = "9aRt6uLm3xQe"\n}\n',
        ],
        good: [
          resource('aws_db_instance', 'password = var.password'),
          'variable "api_token" {\n  sensitive = true\n}\n',
          resource('aws_db_instance', 'password = "${random_password.a.result}"'),
        ],
      },
    },
    terraform.literalSecrets,
  ),
  rule(
    {
      id: 'tf-no-record',
      class: 'logging-backup',
      severity: 'medium',
      message:
        'What happens here leaves no record, or what is lost can not be brought back. Turn logs, versions or backups on.',
      examples: {
        bad: [
          resource('aws_db_instance', 'backup_retention_period = 0'),
          resource('aws_cloudtrail', 'enable_logging = false'),
          resource('aws_s3_bucket_versioning', 'versioning_configuration {\n  status = "Suspended"\n}'),
        ],
        good: [
          resource('aws_db_instance', 'backup_retention_period = 7'),
          resource('aws_cloudtrail', 'enable_logging = true'),
          resource('aws_s3_bucket_versioning', 'versioning_configuration {\n  status = "Enabled"\n}'),
        ],
      },
    },
    terraform.withoutRecord,
  ),
  rule(
    {
      id: 'tf-weak-setting',
      class: 'tf-other',
      severity: 'medium',
      confidence: 'medium',
      message:
        'This setting lets in what its safer value keeps out: credentials of a machine by a forged request, images that change, sign-in by password, keys that never change. Take the safer value.',
      examples: {
        bad: [
          resource('aws_instance', 'metadata_options {\n  http_tokens = "optional"\n}'),
          resource('aws_ecr_repository', 'image_tag_mutability = "MUTABLE"'),
          resource('azurerm_linux_virtual_machine', 'disable_password_authentication = false'),
        ],
        good: [
          resource('aws_instance', 'metadata_options {\n  http_tokens = "required"\n}'),
          resource('aws_ecr_repository', 'image_tag_mutability = "IMMUTABLE"'),
          resource('azurerm_linux_virtual_machine', 'disable_password_authentication = true'),
        ],
      },
    },
    terraform.otherDangers,
  ),
];
