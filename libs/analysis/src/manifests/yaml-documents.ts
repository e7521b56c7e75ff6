import { isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import type { Setting } from './setting.js';

const MAX_DEPTH = 40;

/** Every document of a file of YAML that can be read; none of a template of Helm, which is no YAML before it is rendered. */
export function yamlDocuments(text: string): Setting[] {
  if (/\{\{-?\s*(\.|if|range|with|include|define|end|template|toYaml|\$)/.test(text)) return [];
  const documents = parseAllDocuments(text, { uniqueKeys: false });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document): Setting[] => {
    if (document.errors.length > 0) return [];
    const root = settingOf(document.contents, 0);
    return root ? [root] : [];
  });
}

function settingOf(node: unknown, depth: number): Setting | undefined {
  if (depth > MAX_DEPTH) return undefined;
  if (isScalar(node)) {
    const { value } = node;
    const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value);
    return { ...spanOf(node.range), ...(isPlain ? { value: value as string | number | boolean | null } : {}) };
  }
  if (isSeq(node))
    return { ...spanOf(node.range), items: node.items.flatMap((one) => settingOf(one, depth + 1) ?? []) };
  if (!isMap(node)) return undefined;
  const fields = new Map<string, Setting>();
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue;
    const place = spanOf(key.range);
    const made = settingOf(value, depth + 1) ?? { start: place.end, end: place.end, value: null };
    fields.set(String(key.value), { ...made, key: place });
  }
  return { ...spanOf(node.range), fields };
}

const spanOf = (range: readonly [number, number, number] | null | undefined): { start: number; end: number } => ({
  start: range?.[0] ?? 0,
  end: range?.[1] ?? 0,
});
