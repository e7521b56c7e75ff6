import type { Severity } from './alert.ts';
import type { Channel, Site } from './site.ts';

/** Who is told of what: critical alerts wake somebody up. */
const TOLD: Readonly<Record<Severity, readonly Channel[]>> = {
  critical: ['pagerduty', 'slack', 'discord', 'email'],
  warning: ['slack', 'discord', 'email'],
};

/** Names of the secrets, each a file in the folder `secrets` of the site. */
export const SECRET_FILES: Readonly<Record<Channel, string>> = {
  email: 'alertmanager-email-password',
  slack: 'alertmanager-slack-webhook-url',
  discord: 'alertmanager-discord-webhook-url',
  pagerduty: 'alertmanager-pagerduty-routing-key',
};

const TITLE =
  '{{ if eq .Status "firing" }}{{ .CommonLabels.severity | toUpper }}{{ else }}RESOLVED{{ end }} {{ .CommonLabels.alertname }}';
const TEXT = '{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.runbook_url }}\n{{ end }}';

export interface AlertmanagerOptions {
  /** Where PagerDuty takes events; its own address when not given. */
  readonly pagerdutyUrl?: string;
  /** False only where the mail server is a test. */
  readonly requireTls?: boolean;
}

/** `alertmanager.yml`. */
export function alertmanagerConfig(site: Site, { pagerdutyUrl, requireTls = true }: AlertmanagerOptions = {}): object {
  const secret = (channel: Channel): string => `${site.secrets}/${SECRET_FILES[channel]}`;
  const sendTo: Record<Channel, Readonly<Record<string, readonly object[]>>> = {
    email: {
      email_configs: [
        {
          to: site.email.to,
          from: site.email.from,
          smarthost: site.email.smarthost,
          ...(requireTls ? { auth_username: site.email.user, auth_password_file: secret('email') } : {}),
          require_tls: requireTls,
          send_resolved: true,
          headers: { Subject: TITLE },
        },
      ],
    },
    slack: { slack_configs: [webhook(secret('slack'), site.slack.channel)] },
    // Discord takes what Slack takes at the address of a webhook with /slack behind it; so its address can be a file, too.
    discord: { slack_configs: [webhook(secret('discord'))] },
    pagerduty: {
      pagerduty_configs: [
        {
          routing_key_file: secret('pagerduty'),
          ...(pagerdutyUrl === undefined ? {} : { url: pagerdutyUrl }),
          severity: '{{ .CommonLabels.severity }}',
          description: TITLE,
          details: { summary: '{{ .CommonAnnotations.summary }}' },
          links: [{ href: '{{ .CommonAnnotations.runbook_url }}', text: 'Runbook' }],
        },
      ],
    },
  };
  const receivers = Object.entries(TOLD).map(([name, channels]) => ({
    name,
    ...together(channels.filter((channel) => site.channels.includes(channel)).map((channel) => sendTo[channel])),
  }));
  return {
    route: {
      receiver: 'warning',
      group_by: ['alertname', 'job'],
      group_wait: '10s',
      group_interval: '5m',
      repeat_interval: '12h',
      // Told again every hour until it is over. A warning that nobody ends becomes the critical alert Unattended.
      routes: [{ receiver: 'critical', matchers: ['severity="critical"'], repeat_interval: '1h' }],
    },
    // A service that is gone is cause enough for what else is said of it.
    inhibit_rules: [
      { source_matchers: ['alertname="ServiceDown"'], target_matchers: ['severity="warning"'], equal: ['job'] },
    ],
    receivers,
  };
}

function webhook(file: string, channel?: string): object {
  return {
    api_url_file: file,
    ...(channel === undefined ? {} : { channel }),
    send_resolved: true,
    title: TITLE,
    text: TEXT,
  };
}

/** Receivers of one kind, in one list. */
function together(parts: readonly Readonly<Record<string, readonly object[]>>[]): Record<string, object[]> {
  const all: Record<string, object[]> = {};
  for (const part of parts) for (const [kind, list] of Object.entries(part)) (all[kind] ??= []).push(...list);
  return all;
}
