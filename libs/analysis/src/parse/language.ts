/** Languages that rules are written for. Everything else is still searched for secrets. */
export const LANGUAGES = ['javascript', 'typescript', 'tsx', 'python', 'dockerfile'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What a tree-sitter grammar exists for; a Dockerfile has its own reader. */
export type TreeLanguage = Exclude<Language, 'dockerfile'>;

const BY_EXTENSION: Readonly<Record<string, Language>> = {
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascript',
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  tsx: 'tsx',
  py: 'python',
  pyw: 'python',
  dockerfile: 'dockerfile',
  containerfile: 'dockerfile',
};

/** The language of a file by its name, or undefined when no rule reads it. */
export function languageOf(path: string): Language | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (/^(docker|container)file(\.[^.]+)*$/.test(name) && !name.endsWith('.dockerignore')) return 'dockerfile';
  const dot = name.lastIndexOf('.');
  return dot < 0 ? undefined : BY_EXTENSION[name.slice(dot + 1)];
}

export function isJavaScript(language: Language): boolean {
  return language === 'javascript' || language === 'typescript' || language === 'tsx';
}
