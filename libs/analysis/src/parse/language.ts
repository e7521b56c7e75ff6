/** Languages that rules are written for. `text` is every file that is none of the others, and is searched for secrets alone. */
export const LANGUAGES = [
  'javascript',
  'typescript',
  'tsx',
  'python',
  'go',
  'java',
  'dockerfile',
  'actions',
  'text',
] as const;
export type Language = (typeof LANGUAGES)[number];

/** What a tree-sitter grammar exists for; a Dockerfile has its own reader. */
export type TreeLanguage = Exclude<Language, 'dockerfile' | 'actions' | 'text'>;

/** What programs and images are written in. */
export type ProgramLanguage = TreeLanguage | 'dockerfile';

const BY_EXTENSION: Readonly<Record<string, ProgramLanguage>> = {
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
  go: 'go',
  java: 'java',
  dockerfile: 'dockerfile',
  containerfile: 'dockerfile',
};

const NOT_DOCKERFILE = new Set([
  'dockerignore',
  'md',
  'txt',
  'json',
  'yml',
  'yaml',
  'html',
  'css',
  'sh',
  'go',
  'rs',
  'java',
]);

/** The language of a file by its name, or undefined when no rule reads it. */
export function languageOf(path: string): ProgramLanguage | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const dot = name.lastIndexOf('.');
  const extension = dot < 0 ? '' : name.slice(dot + 1);
  const known = BY_EXTENSION[extension];
  if (known) return known;
  // `Dockerfile.dev` is one, `dockerfile.md` is about one.
  const isDockerfile = /^(docker|container)file(\.[^.]+)*$/.test(name) && !NOT_DOCKERFILE.has(extension);
  return isDockerfile ? 'dockerfile' : undefined;
}

/** The language that rules see in a file: every file has one. */
export function ruleLanguageOf(path: string): Language {
  const isWorkflow = /(^|\/)\.github\/workflows\/[^/]+\.ya?ml$|(^|\/)action\.ya?ml$/i.test(path);
  return isWorkflow ? 'actions' : (languageOf(path) ?? 'text');
}

/** What the flow of data is walked in: the dialects of JavaScript are one. */
export type FlowLanguage = 'javascript' | 'python' | 'go' | 'java';

export function flowLanguageOf(language: TreeLanguage): FlowLanguage {
  return language === 'python' || language === 'go' || language === 'java' ? language : 'javascript';
}

export function isTreeLanguage(language: Language): language is TreeLanguage {
  return language !== 'dockerfile' && language !== 'actions' && language !== 'text';
}

export function isJavaScript(language: Language): boolean {
  return language === 'javascript' || language === 'typescript' || language === 'tsx';
}
