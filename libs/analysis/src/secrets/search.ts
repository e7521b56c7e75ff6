import { lintSource } from '@secretlint/core';
import { secretLintProfiler } from '@secretlint/profiler';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';

/** A credential that is recognised by its form. Offsets are UTF-16 code units; the value itself is never passed on. */
export interface SecretHit {
  readonly start: number;
  readonly end: number;
  /** What it is, in words, e.g. "GitHub Token". */
  readonly kind: string;
  readonly id: string;
}

const CONFIG = { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator }] };

// It measures unless it is told not to, and keeps what it measured of each rule and file for as long as the process lives.
secretLintProfiler.setEnabled(false);

/** `user:pass@example.com`: what documentation writes for an address with a password. */
function isExample(text: string, end: number): boolean {
  const around = text.slice(Math.max(0, end - 100), end + 60);
  return /:\/\/[^\s:/@]{1,40}:(pass(word|wd)?|pwd|secret)@([\w-]+\.)*example\.(com|org|net)\b/i.test(around);
}

/** Credentials of known services in any text file. */
export async function searchSecrets(path: string, text: string): Promise<SecretHit[]> {
  const dot = path.lastIndexOf('.');
  const { messages } = await lintSource({
    source: { content: text, filePath: `/${path}`, ext: dot < 0 ? '' : path.slice(dot), contentType: 'text' },
    options: { config: CONFIG, maskSecrets: true, noPhysicFilePath: true },
  });
  return messages
    .filter(({ range: [, end] }) => !isExample(text, end))
    .map(({ range: [start, end], message, messageId }) => ({
      start,
      end,
      // "found GitHub Token(***): ***": what stands before the value.
      kind: (/^found\s+(?:an?\s+)?([^:(*]{3,60})/i.exec(message)?.[1] ?? 'credential').trim(),
      id: messageId,
    }));
}
