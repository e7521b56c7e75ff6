/** Folders of code that somebody else wrote; names in lower case. */
export const VENDORED_FOLDERS: ReadonlySet<string> = new Set([
  'node_modules',
  'bower_components',
  'jspm_packages',
  'vendor',
  'third_party',
  'third-party',
  'site-packages',
  '.venv',
  'venv',
  '.yarn',
  '.pnpm-store',
]);

/** Folders that a tool wrote; names in lower case. */
export const GENERATED_FOLDERS: ReadonlySet<string> = new Set([
  'dist',
  'coverage',
  '.next',
  '.nuxt',
  '__pycache__',
  '.tox',
  '.nox',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
  '.gradle',
]);
