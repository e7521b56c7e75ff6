import type { Span } from '../flow/ir.js';
import { namesSecret } from './credential.js';

const LINE =
  /^[ \t]*(?:export[ \t]+|set[ \t]+|-[ \t]+|const[ \t]+|ENV[ \t]+|ARG[ \t]+|-D|\/\/[ \t]*|#[ \t]*)?["']?([A-Za-z_][\w.\-/:]*)["']?[ \t]*(?:=>|:=|[:=])[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"'#,;}\]]+))/gm;
const ELEMENT = /<([\w.:-]*(?:password|passwd|secret|token|apikey|api-key|privatekey)[\w.:-]*)>([^<\s]{4,200})<\//gi;
const FIELD = /(?:name|key)=["']([\w.:-]+)["']\s+value=["']([^"'\n]{4,200})["']/gi;
const ADDRESS = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/"'<>{}$]{0,60}:([^\s:@/"'<>{}$*]{3,100})@[\w.-]+/gi;
const OPTION =
  /(?:\s|^)(?:-u|--user)[ =]["']?[\w.@-]+:([^\s"'$]{4,80})|(?:--password|--passwd|--token|--api-key|--secret)[ =]["']?([^\s"'$<{]{4,80})|\bAuthorization:\s*(?:Basic|Bearer|token)\s+([A-Za-z0-9+/=_.-]{12,})|\bmysql\b[^\n]*\s-p([^\s"'$]{4,40})|\bsshpass\s+-p\s*["']?([^\s"'$]{3,60})/gi;

const NO_VALUE =
  /^(true|false|null|none|nil|undefined|yes|no|on|off|required|optional|string|password|passwd|secret|token|user(name)?|changeit|change[-_ ]?me.*|your.*|my[-_].*|todo|xxx+.*|example.*|sample.*|dummy.*|placeholder.*|redacted|\*+|\.+|-+|n\/a|default|env|file|vault|input|text|hidden|bearer|basic|bool(ean)?|int(eger)?|object|any|local|test|read|write|admin-secret|.*\b(secretKeyRef|valueFrom|process\.env|os\.environ|getenv|secrets\.|var\.|local\.|data\.|module\.|config\.|ref\+|vault:|ssm:|arn:|sops|ENC\[|AQICAH|sealed).*)$/i;

function isValue(text: string, name: string): boolean {
  if (text.length < 4 || text.length > 300 || NO_VALUE.test(text)) return false;
  if (
    /^[$<{%@!&*|>#\\[(]|\$\{|\{\{|<[\w -]+>|\$\(|%\w+%|^(\.{0,2}|~)\/|^[A-Za-z]:\\|^[a-z][a-z0-9+.-]*:\/\/|\s|\($|\)$|^\d{1,5}$|^\d+(\.\d+)*[smhd]?$/.test(
      text,
    )
  )
    return false;
  const bare = text.toLowerCase().replace(/[-_ .]/g, '');
  const own = name.toLowerCase().replace(/[-_ .]/g, '');
  if (bare === own || own.endsWith(bare) || /^[A-Z][A-Z0-9]*_[A-Z0-9_]+$/.test(text)) return false;
  // Words joined like the name of a thing: `db-password-secret`.
  if (/^[a-z]+([-_.][a-z]+)+$/i.test(text) && /password|secret|token|key|cred/i.test(text)) return false;
  return new Set(text).size >= 3;
}

const lastPart = (name: string): string => name.split(/[.:/]/).at(-1) ?? name;

/** Credentials in files of settings: assignments, elements, addresses with a password, options of commands. */
export function findSettings(text: string): Span[] {
  const found: Span[] = [];
  const add = (match: RegExpExecArray, value: string | undefined): void => {
    if (value === undefined) return;
    const start = match.index + match[0].lastIndexOf(value);
    found.push({ start, end: start + value.length });
  };
  // In a program without an extension a word without quotes is a name.
  const isProgram = /^#!.*\b(node|deno|bun|python[\d.]*|ruby|perl|php)\b/.test(text);
  for (const match of text.matchAll(LINE)) {
    const [, name = '', double, single, plain] = match;
    const value = double ?? single ?? (isProgram ? '' : plain) ?? '';
    if (namesSecret(lastPart(name).replaceAll('-', '_')) && isValue(value, lastPart(name))) add(match, value);
  }
  for (const pattern of [ELEMENT, FIELD]) {
    for (const match of text.matchAll(pattern)) {
      const [, name = '', value = ''] = match;
      if (namesSecret(lastPart(name).replaceAll('-', '_')) && isValue(value, lastPart(name))) add(match, value);
    }
  }
  for (const match of text.matchAll(ADDRESS)) {
    const value = match[1] ?? '';
    if (
      !/^(password|passwd|pass|pwd|secret|token|x+|\.+)$/i.test(value) &&
      !/example\.(com|org|net)|localhost|127\.0\.0\.1/.test(match[0])
    )
      add(match, value);
  }
  for (const match of text.matchAll(OPTION)) {
    const value = match.slice(1).find((one) => one !== undefined);
    if (value !== undefined && isValue(value, '')) add(match, value);
  }
  return found;
}

/** Documents, data and tests tell about credentials rather than hold them. */
export const isSettingsFile = (path: string): boolean =>
  !/\.(md|mdx|rst|txt|adoc|html?|css|svg|csv|tsv|po|pot|lock|snap|log|ipynb|java|go|rs|rb|php|c|cc|cpp|h|hpp|cs|kt|swift|scala|vue|svelte|d\.ts|graphql|proto|sql|snippets)$|(^|\/)(LICENSE|CHANGELOG|README|CONTRIBUTING)[^/]*$|\.schema\.json$|openapi|swagger|i18n|locales?\//i.test(
    path,
  );
