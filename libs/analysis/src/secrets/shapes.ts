import type { Span } from '../flow/ir.js';

/** Credentials that are known by their form. A group, where there is one, is the value. */
const SHAPES: readonly RegExp[] = [
  /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b/g,
  /\b(?:aws)?_?(?:secret)?_?(?:access)?_?key(?:_id)?["']?\s*[:=]>?\s*["']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
  /\bgh[pousr]_[A-Za-z0-9]{36,251}\b/g,
  /\bgithub_pat_[A-Za-z0-9_]{60,}\b/g,
  /\bgl(?:pat|dt|cbt|ptt|ft|imt|agent|oas|soat|rt)-[A-Za-z0-9_-]{20,}\b/g,
  /\bxox[abeoprs](?:\.xox[bp])?-(?:\d+-)*[A-Za-z0-9-]{10,}\b/g,
  /\bxapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+\b/gi,
  /https:\/\/hooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9+/]{30,}/g,
  /\b(?:sk|rk)_(?:live|prod|test)_[A-Za-z0-9]{10,99}\b/g,
  /\bAIza[0-9A-Za-z_-]{35}\b/g,
  /\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}\b/g,
  /\bSK[0-9a-f]{32}\b/g,
  /\bnpm_[A-Za-z0-9]{36}\b/g,
  /\bpypi-AgE[A-Za-z0-9_-]{50,}\b/g,
  /\bdo[opr]_v1_[a-f0-9]{64}\b/g,
  /\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}\b/g,
  /\bsk-ant-(?:api|admin)\d\d-[A-Za-z0-9_-]{80,}/g,
  /\bkey-[0-9a-f]{32}\b/g,
  /\b\d{8,10}:AA[A-Za-z0-9_-]{32,34}\b/g,
  /\bey[A-Za-z0-9]{15,}\.ey[A-Za-z0-9/_\\-]{15,}\.[A-Za-z0-9/_\\-]{10,}={0,2}/g,
  /AccountKey=([A-Za-z0-9+/]{86}==)/g,
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|["'+,])*[A-Za-z0-9+/=\\\s"'+,:-]{24,}/g,
  /\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b/g,
  /\b(?:sq0atp|sq0csp|EAAA)[-A-Za-z0-9_]{22,60}\b/g,
  /\bdapi[a-f0-9]{32}(?:-\d)?\b/g,
  /\bhf_[A-Za-z]{34}\b/g,
  /\blin_api_[A-Za-z0-9]{40}\b/g,
  /\bdp\.(?:pt|st|ct)\.[A-Za-z0-9]{40,}\b/g,
  /\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}\b/g,
  /\bNRAK-[A-Z0-9]{27}\b/g,
  /\bAGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}\b/g,
  /\bglsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}\b/g,
  /\b(?:hv[sb]|s)\.[A-Za-z0-9_-]{90,}\b/g,
  /\bEAACEdEose0cBA[0-9A-Za-z]+\b/g,
  /\bAAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{30,}\b/g,
  /\bya29\.[0-9A-Za-z_-]{30,}\b/g,
  /\b(?:r8|tfp|rubygems|ghs|atlasv1|sntrys|sntryu|figd|pscale_tkn|pscale_pw)_[A-Za-z0-9._=-]{32,}\b/g,
  /\b[MNO][A-Za-z\d]{23,25}\.[\w-]{6}\.[\w-]{27,38}\b/g,
  /\b(?:heroku|cloudflare|mailchimp|datadog|algolia|twilio|facebook|twitter|linkedin|okta|sentry|segment|contentful|asana|dropbox|bitbucket|sonar|artifactory|jfrog|nuget|vault|consul|azure|gitter|codecov|travis|circleci|launchdarkly|lob|mapbox|plaid|coinbase|airtable|zendesk|atlassian|jira|confluence|netlify|vercel|fastly|finicity|freshbooks|beamer|adobe|alibaba|snyk|hubspot|intercom|kraken|kucoin|messagebird|nytimes|rapidapi|sendbird|squarespace|trello|twitch|typeform|yandex|discord)[\w.-]{0,20}(?:key|token|secret|password|client_?id|credential|auth|api)?[\w.-]{0,12}["']?\s*(?:=|:|=>|:=|,)\s*["']([A-Za-z0-9=_-]{16,64})["']/gi,
];

/** Examples of documentation and what stands for a value. */
const PLACEHOLDER =
  /EXAMPLE|example|x{6,}|X{6,}|\*{4,}|\.{4,}|placeholder|change.?me|your[-_]|dummy|redacted|0{10,}|1234567890|abcdefghij|deadbeef|<[a-z]/i;

function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}

/** Values in a text that have the form of a credential, and are no placeholder, digest or name. */
export function findShapes(text: string): Span[] {
  const found: Span[] = [];
  for (const shape of SHAPES) {
    for (const match of text.matchAll(shape)) {
      const value = match[1] ?? match[0];
      const start = match.index + match[0].lastIndexOf(value);
      if (PLACEHOLDER.test(value) || entropy(value) < 2.8) continue;
      // Named by its service alone: words are no keys, and neither are other identifiers.
      if (
        match[1] !== undefined &&
        (!/\d/.test(value) || !/[a-z]/i.test(value) || entropy(value) < 3.2 || /^[a-z]+([-_][a-z0-9]+)+$/.test(value))
      )
        continue;
      found.push({ start, end: start + value.length });
    }
  }
  return found;
}
