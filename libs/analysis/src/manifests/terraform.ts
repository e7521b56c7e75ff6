import type { Span } from '../flow/ir.js';
import { looksLikeSecret, namesSecret } from '../secrets/credential.js';
import { blocksOf, type Block } from './hcl.js';
import { at, listOf, textOf, whole, type Setting } from './setting.js';

type Check = (file: { readonly text: string }) => readonly Span[];
type Look = (block: Block, all: readonly Block[]) => readonly Span[];

/** A look at each resource of some types; without types, at all of them. */
const eachResource =
  (types: RegExp, look: Look): Check =>
  ({ text }) => {
    const all = blocksOf(text);
    return all
      .filter(({ kind, labels }) => kind === 'resource' && types.test(labels[0] ?? ''))
      .flatMap((one) => look(one, all));
  };

/** A value at a path where blocks and maps are alike: the first of each. */
function inside(block: Setting | undefined, ...path: readonly string[]): Setting | undefined {
  return path.reduce<Setting | undefined>((one, key) => {
    const found = one?.fields?.get(key);
    return found?.items && found.items[0]?.fields ? found.items[0] : found;
  }, block);
}

/** Blocks, or maps in a list, of a name. */
const blocksIn = (block: Setting, key: string): readonly Setting[] => {
  const found = at(block, key);
  return found?.items ?? (found?.fields ? [found] : []);
};

const EVERYWHERE = /^(0\.0\.0\.0\/0|::\/0|\*|any|internet|0\.0\.0\.0)$/i;
const everywhere = (setting: Setting | undefined): Setting | undefined =>
  listOf(setting).find((one) => EVERYWHERE.test(textOf(one)));

/** Ports that only their owners should reach: administration and stores. */
const GUARDED = [
  20, 21, 22, 23, 25, 111, 135, 137, 138, 139, 389, 445, 636, 1433, 1434, 1521, 2375, 2376, 2379, 3306, 3389, 4333,
  5432, 5500, 5601, 5900, 5984, 6379, 6443, 7000, 7001, 8020, 8088, 8888, 9042, 9090, 9200, 9300, 10250, 11211, 27017,
  50070,
];

function opensGuarded(from: Setting | undefined, to: Setting | undefined, protocol: string): boolean {
  if (/^(-1|all)$/.test(protocol)) return true;
  const [low, high] = [Number(textOf(from)), Number(textOf(to) || textOf(from))];
  if (textOf(from) === '' || Number.isNaN(low) || Number.isNaN(high)) return false;
  if (low === 0 && (high === 0 || high === 65_535)) return true;
  if (protocol === 'icmp') return false;
  return GUARDED.some((port) => low <= port && port <= high);
}

/** `22`, `20-25`, `*` of Azure, Google and DigitalOcean. */
function rangeOpens(range: string): boolean {
  if (/^(\*|all|any|0|1-65535|0-65535)$/.test(range)) return true;
  const [low = NaN, high = low] = range.split(/[-:]/).map(Number);
  return GUARDED.some((port) => low <= port && port <= high);
}

export const openIngress: Check = (file) => [
  ...eachResource(/^aws_(default_)?security_group$/, (block) =>
    blocksIn(block, 'ingress').flatMap((rule) => {
      const source = everywhere(at(rule, 'cidr_blocks')) ?? everywhere(at(rule, 'ipv6_cidr_blocks'));
      return source && opensGuarded(at(rule, 'from_port'), at(rule, 'to_port'), textOf(at(rule, 'protocol')))
        ? [source]
        : [];
    }),
  )(file),
  ...eachResource(/^aws_(security_group_rule|vpc_security_group_ingress_rule)$/, (block) => {
    if (textOf(at(block, 'type')) === 'egress') return [];
    const source =
      everywhere(at(block, 'cidr_blocks')) ??
      everywhere(at(block, 'ipv6_cidr_blocks')) ??
      everywhere(at(block, 'cidr_ipv4')) ??
      everywhere(at(block, 'cidr_ipv6'));
    return source &&
      opensGuarded(
        at(block, 'from_port'),
        at(block, 'to_port'),
        textOf(at(block, 'protocol')) || textOf(at(block, 'ip_protocol')),
      )
      ? [source]
      : [];
  })(file),
  ...eachResource(/^aws_network_acl_rule$/, (block) => {
    const source = everywhere(at(block, 'cidr_block'));
    const isOpen = textOf(at(block, 'rule_action')) === 'allow' && at(block, 'egress')?.value !== true;
    return source && isOpen && opensGuarded(at(block, 'from_port'), at(block, 'to_port'), textOf(at(block, 'protocol')))
      ? [source]
      : [];
  })(file),
  ...eachResource(/^google_compute_firewall$/, (block) => {
    const source = everywhere(at(block, 'source_ranges'));
    if (!source || textOf(at(block, 'direction')) === 'EGRESS') return [];
    const opens = blocksIn(block, 'allow').some((rule) => {
      const ports = listOf(at(rule, 'ports')).map(textOf);
      return (
        /^all$/i.test(textOf(at(rule, 'protocol'))) ||
        (ports.length === 0 ? /^(tcp|udp)$/i.test(textOf(at(rule, 'protocol'))) : ports.some(rangeOpens))
      );
    });
    return opens ? [source] : [];
  })(file),
  ...eachResource(/^azurerm_network_security_(rule|group)$/, (block) =>
    (block.labels[0]?.endsWith('rule') === true ? [block] : blocksIn(block, 'security_rule')).flatMap((rule) => {
      const source = everywhere(at(rule, 'source_address_prefix')) ?? everywhere(at(rule, 'source_address_prefixes'));
      const isIn = !/outbound/i.test(textOf(at(rule, 'direction'))) && !/deny/i.test(textOf(at(rule, 'access')));
      const ports = [...listOf(at(rule, 'destination_port_range')), ...listOf(at(rule, 'destination_port_ranges'))].map(
        textOf,
      );
      return source && isIn && ports.some(rangeOpens) ? [source] : [];
    }),
  )(file),
  ...eachResource(/^digitalocean_firewall$/, (block) =>
    blocksIn(block, 'inbound_rule').flatMap((rule) => {
      const source = everywhere(at(rule, 'source_addresses'));
      return source && rangeOpens(textOf(at(rule, 'port_range')) || 'none') ? [source] : [];
    }),
  )(file),
];

const lacksTrue = (block: Block, ...path: readonly string[]): readonly Span[] => {
  const flag = inside(block, ...path);
  // A variable or an expression may be anything.
  if (!flag) return [block.head];
  return flag.value === false ? [whole(flag)] : [];
};
const isFalse = (block: Setting, key: string): readonly Span[] => {
  const flag = at(block, key);
  return flag?.value === false ? [whole(flag)] : [];
};
const isTrue = (block: Setting, ...path: readonly string[]): readonly Span[] => {
  const flag = inside(block, ...path);
  return flag?.value === true ? [whole(flag)] : [];
};

export const publicAccess: Check = (file) => [
  ...eachResource(
    /^(aws_s3_bucket|aws_s3_bucket_acl|digitalocean_spaces_bucket|digitalocean_spaces_bucket_object|aws_s3_object)$/,
    (block) => {
      const acl = at(block, 'acl');
      return acl && /^(public-read|public-read-write|authenticated-read|website)$/.test(textOf(acl))
        ? [whole(acl)]
        : [];
    },
  )(file),
  ...eachResource(/^aws_s3_(bucket|account)_public_access_block$/, (block) => {
    const flags = ['block_public_acls', 'block_public_policy', 'ignore_public_acls', 'restrict_public_buckets'];
    return flags.flatMap((key) => isFalse(block, key));
  })(file),
  ...eachResource(
    /^(aws_(db_instance|rds_cluster_instance|redshift_cluster|dms_replication_instance|mq_broker))$/,
    (block) => isTrue(block, 'publicly_accessible'),
  )(file),
  ...eachResource(/^aws_eks_cluster$/, (block) => {
    const access = inside(block, 'vpc_config');
    const flag = at(access, 'endpoint_public_access');
    const ranges = at(access, 'public_access_cidrs');
    return flag?.value === true && (!ranges || everywhere(ranges)) ? [whole(flag)] : [];
  })(file),
  ...eachResource(
    /^google_(storage_bucket|project|cloud_run_service|cloudfunctions_function|bigquery_dataset|pubsub_topic|kms_crypto_key)_iam_(member|binding)$/,
    (block) => {
      const member = [...listOf(at(block, 'member')), ...listOf(at(block, 'members'))].find((one) =>
        /^all(Authenticated)?Users$/.test(textOf(one)),
      );
      return member ? [member] : [];
    },
  )(file),
  ...eachResource(/^google_sql_database_instance$/, (block) => {
    const network = inside(block, 'settings', 'ip_configuration');
    return listOf(at(network, 'authorized_networks')).flatMap((one) => everywhere(at(one, 'value')) ?? []);
  })(file),
  ...eachResource(/^azurerm_(storage_account|storage_container)$/, (block) => [
    ...isTrue(block, 'allow_nested_items_to_be_public'),
    ...isTrue(block, 'allow_blob_public_access'),
    ...['container_access_type'].flatMap((key) => {
      const type = at(block, key);
      return type && /^(blob|container)$/.test(textOf(type)) ? [whole(type)] : [];
    }),
  ])(file),
  ...eachResource(
    /^azurerm_(mssql|postgresql|mysql|mariadb|sql)_(flexible_)?(server|firewall_rule)$|^azurerm_key_vault$|^azurerm_container_registry$/,
    (block) => {
      const [from, to] = [textOf(at(block, 'start_ip_address')), textOf(at(block, 'end_ip_address'))];
      const range = at(block, 'start_ip_address');
      if (range && from === '0.0.0.0' && to === '255.255.255.255') return [whole(range)];
      return isTrue(block, 'public_network_access_enabled');
    },
  )(file),
];

export const withoutEncryption: Check = (file) => [
  ...eachResource(/^(aws_db_instance|aws_rds_cluster|aws_neptune_cluster|aws_docdb_cluster)$/, (block) =>
    at(block, 'snapshot_identifier') || at(block, 'replicate_source_db') ? [] : lacksTrue(block, 'storage_encrypted'),
  )(file),
  ...eachResource(/^(aws_ebs_volume|aws_efs_file_system|aws_redshift_cluster|aws_dax_cluster)$/, (block) =>
    lacksTrue(block, 'encrypted'),
  )(file),
  ...eachResource(/^aws_elasticache_replication_group$/, (block) => lacksTrue(block, 'at_rest_encryption_enabled'))(
    file,
  ),
  ...eachResource(/^aws_(elasticsearch|opensearch)_domain$/, (block) => lacksTrue(block, 'encrypt_at_rest', 'enabled'))(
    file,
  ),
  ...eachResource(/^aws_sqs_queue$/, (block) =>
    at(block, 'kms_master_key_id') || at(block, 'sqs_managed_sse_enabled')
      ? isFalse(block, 'sqs_managed_sse_enabled')
      : [],
  )(file),
  ...eachResource(/^aws_(instance|launch_configuration|launch_template)$/, (block) =>
    ['root_block_device', 'ebs_block_device'].flatMap((key) =>
      blocksIn(block, key).flatMap((one) => isFalse(one, 'encrypted')),
    ),
  )(file),
  ...eachResource(/^aws_(lb|alb)_listener$/, (block) => {
    const protocol = at(block, 'protocol');
    const action = inside(block, 'default_action');
    return protocol && textOf(protocol) === 'HTTP' && textOf(at(action, 'type')) !== 'redirect'
      ? [whole(protocol)]
      : [];
  })(file),
  ...eachResource(/^aws_cloudfront_distribution$/, (block) =>
    ['default_cache_behavior', 'ordered_cache_behavior'].flatMap((key) =>
      blocksIn(block, key).flatMap((one) => {
        const policy = at(one, 'viewer_protocol_policy');
        return policy && textOf(policy) === 'allow-all' ? [whole(policy)] : [];
      }),
    ),
  )(file),
  ...eachResource(/^azurerm_storage_account$/, (block) => [
    ...isFalse(block, 'https_traffic_only_enabled'),
    ...isFalse(block, 'enable_https_traffic_only'),
    ...['min_tls_version'].flatMap((key) => {
      const version = at(block, key);
      return version && /TLS1_[01]$/.test(textOf(version)) ? [whole(version)] : [];
    }),
  ])(file),
  ...eachResource(/^azurerm_(postgresql|mysql|mariadb)_server$/, (block) => isFalse(block, 'ssl_enforcement_enabled'))(
    file,
  ),
  ...eachResource(/^azurerm_(linux_web_app|windows_web_app|app_service|function_app)$/, (block) =>
    isFalse(block, 'https_only'),
  )(file),
  ...eachResource(/^google_sql_database_instance$/, (block) => {
    const network = inside(block, 'settings', 'ip_configuration');
    return network ? isFalse(network, 'require_ssl') : [];
  })(file),
  ...eachResource(/^digitalocean_loadbalancer$/, (block) =>
    blocksIn(block, 'forwarding_rule').flatMap((rule) => {
      const protocol = at(rule, 'entry_protocol');
      return protocol && textOf(protocol) === 'http' && at(block, 'redirect_http_to_https')?.value !== true
        ? [whole(protocol)]
        : [];
    }),
  )(file),
];

/** Statements of policies, wherever they stand: in `jsonencode`, as text of JSON, or as a document of data. */
function statementsOf(setting: Setting | undefined): Setting[] {
  if (!setting) return [];
  const statement = at(setting, 'Statement');
  return [...listOf(statement)].filter((one) => one.fields);
}

const allows = (statement: Setting, effect: string): boolean => textOf(at(statement, effect)) !== 'Deny';
const star = (setting: Setting | undefined): Setting | undefined =>
  listOf(setting).find((one) => textOf(one) === '*' || textOf(one) === '*:*');

export const wideRights: Check = (file) => [
  ...eachResource(/^aws_\w+$/, (block) =>
    ['policy', 'assume_role_policy', 'inline_policy'].flatMap((key) => {
      const policy = at(block, key);
      const found = statementsOf(policy).flatMap((statement) => {
        const action = allows(statement, 'Effect') ? star(at(statement, 'Action')) : undefined;
        const principal =
          allows(statement, 'Effect') && !at(statement, 'Condition')
            ? (star(at(statement, 'Principal')) ?? star(at(statement, 'Principal', 'AWS')))
            : undefined;
        return action ? [action] : principal ? [principal] : [];
      });
      const text = policy?.value === undefined ? (policy?.text ?? '') : String(policy.value);
      // As text of JSON.
      const isWide = /"Effect"\s*:\s*"Allow"/.test(text) && /"Action"\s*:\s*(\[\s*)?"\*"/.test(text);
      return policy && isWide ? [...found, whole(policy)] : found;
    }),
  )(file),
  ...blocksOf(file.text)
    .filter(({ kind, labels }) => kind === 'data' && labels[0] === 'aws_iam_policy_document')
    .flatMap((block) =>
      blocksIn(block, 'statement').flatMap((statement) => {
        const action = allows(statement, 'effect') ? star(at(statement, 'actions')) : undefined;
        return action ? [action] : [];
      }),
    ),
  ...eachResource(/^google_(project|folder|organization)_iam_(member|binding)$/, (block) => {
    const role = at(block, 'role');
    return role && /^roles\/(owner|editor)$/.test(textOf(role)) ? [whole(role)] : [];
  })(file),
  ...eachResource(/^azurerm_role_assignment$/, (block) => {
    const role = at(block, 'role_definition_name');
    return role && textOf(role) === 'Owner' ? [whole(role)] : [];
  })(file),
  ...eachResource(/^azurerm_role_definition$/, (block) =>
    blocksIn(block, 'permissions').flatMap((one) => star(at(one, 'actions')) ?? []),
  )(file),
];

export const literalSecrets: Check = ({ text }) => {
  const found: Span[] = [];
  const look = (setting: Setting, name: string): void => {
    if (typeof setting.value === 'string' && namesSecret(name) && looksLikeSecret(setting.value, name))
      found.push({ start: setting.start + 1, end: setting.end - 1 });
    for (const [key, one] of setting.fields ?? []) look(one, key);
    for (const one of setting.items ?? []) if (one.fields) look(one, '');
  };
  for (const block of blocksOf(text)) {
    if (block.kind === 'variable') {
      const value = at(block, 'default');
      if (value) look(value, block.labels[0] ?? '');
    } else look(block, '');
  }
  return found;
};

export const withoutRecord: Check = (file) => [
  ...eachResource(/^(aws_db_instance|aws_rds_cluster)$/, (block) => {
    const days = at(block, 'backup_retention_period');
    return days?.value === 0 ? [whole(days)] : [];
  })(file),
  ...eachResource(/^aws_cloudtrail$/, (block) => [
    ...isFalse(block, 'enable_logging'),
    ...isFalse(block, 'is_multi_region_trail'),
    ...isFalse(block, 'enable_log_file_validation'),
  ])(file),
  ...eachResource(/^(aws_s3_bucket_versioning)$/, (block) => {
    const status = inside(block, 'versioning_configuration', 'status');
    return status && /^(Suspended|Disabled)$/.test(textOf(status)) ? [whole(status)] : [];
  })(file),
  ...eachResource(/^aws_eks_cluster$/, (block) => (at(block, 'enabled_cluster_log_types') ? [] : [block.head]))(file),
  ...eachResource(/^(aws_(lb|alb|elb))$/, (block) => {
    const logs = inside(block, 'access_logs');
    return logs ? isFalse(logs, 'enabled') : [];
  })(file),
  ...eachResource(/^google_sql_database_instance$/, (block) => {
    const backup = inside(block, 'settings', 'backup_configuration');
    return backup ? isFalse(backup, 'enabled') : [];
  })(file),
  ...eachResource(/^digitalocean_droplet$/, (block) => isFalse(block, 'backups'))(file),
  ...eachResource(/^google_container_cluster$/, (block) => {
    const service = at(block, 'logging_service');
    return service && textOf(service) === 'none' ? [whole(service)] : [];
  })(file),
];

export const otherDangers: Check = (file) => [
  ...eachResource(/^aws_(instance|launch_template)$/, (block) => {
    const options = inside(block, 'metadata_options');
    const tokens = at(options, 'http_tokens');
    return tokens && textOf(tokens) === 'optional' ? [whole(tokens)] : [];
  })(file),
  ...eachResource(/^aws_ecr_repository$/, (block) => {
    const tag = at(block, 'image_tag_mutability');
    return tag && textOf(tag) === 'MUTABLE' ? [whole(tag)] : [];
  })(file),
  ...eachResource(/^google_compute_instance$/, (block) => [
    ...isTrue(block, 'can_ip_forward'),
    ...isTrue(block, 'metadata', 'serial-port-enable'),
  ])(file),
  ...eachResource(/^google_container_cluster$/, (block) => isTrue(block, 'enable_legacy_abac'))(file),
  ...eachResource(/^azurerm_(linux_virtual_machine|virtual_machine_scale_set)$/, (block) =>
    isFalse(block, 'disable_password_authentication'),
  )(file),
  ...eachResource(/^azurerm_kubernetes_cluster$/, (block) => isFalse(block, 'role_based_access_control_enabled'))(file),
  ...eachResource(/^aws_kms_key$/, (block) => isFalse(block, 'enable_key_rotation'))(file),
];
