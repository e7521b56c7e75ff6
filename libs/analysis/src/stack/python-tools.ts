/** Versions of package managers that are fetched where the repository names none. As of 2026-11. */
export const PYTHON_TOOLS = { uv: '0.13.9', poetry: '2.5.1', pipenv: '2026.10.3' } as const;
