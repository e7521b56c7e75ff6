/**
 * Languages that rules are written for. `kubernetes` is any file of YAML that is none of the others: what it holds tells whether it is a
 * manifest. `text` is every file that is none of the others, and is searched for secrets alone.
 */
export const LANGUAGES = [
  'javascript',
  'typescript',
  'tsx',
  'python',
  'go',
  'java',
  'dockerfile',
  'actions',
  'kubernetes',
  'compose',
  'terraform',
  'text',
] as const;
export type Language = (typeof LANGUAGES)[number];

/** What a tree-sitter grammar exists for; a Dockerfile has its own reader. */
export type TreeLanguage = Exclude<Language, 'dockerfile' | SettingsLanguage>;

/** Files of settings: rules look at each as a whole. */
export type SettingsLanguage = 'actions' | 'kubernetes' | 'compose' | 'terraform' | 'text';

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

const SETTINGS: readonly (readonly [RegExp, SettingsLanguage])[] = [
  [/(^|\/)\.github\/workflows\/[^/]+\.ya?ml$|(^|\/)action\.ya?ml$/i, 'actions'],
  [/(^|\/)(docker-)?compose([.-][\w.-]+)?\.ya?ml$/i, 'compose'],
  [/\.(tf|tofu)$/i, 'terraform'],
  [/\.ya?ml$/i, 'kubernetes'],
];

/** The language that rules see in a file: every file has one. */
export function ruleLanguageOf(path: string): Language {
  return SETTINGS.find(([name]) => name.test(path))?.[1] ?? languageOf(path) ?? 'text';
}

export const isSettings = (language: Language): language is SettingsLanguage =>
  language === 'text' || SETTINGS.some(([, one]) => one === language);

/** What the flow of data is walked in: the dialects of JavaScript are one. */
export type FlowLanguage = 'javascript' | 'python' | 'go' | 'java';

export function flowLanguageOf(language: TreeLanguage): FlowLanguage {
  return language === 'python' || language === 'go' || language === 'java' ? language : 'javascript';
}

export function isTreeLanguage(language: Language): language is TreeLanguage {
  return language !== 'dockerfile' && !isSettings(language);
}

export function isJavaScript(language: Language): boolean {
  return language === 'javascript' || language === 'typescript' || language === 'tsx';
}
