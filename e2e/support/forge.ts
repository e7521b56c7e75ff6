import { makeRepository } from '@devmesh/repository/testing/sample-git';
import type { ScriptedForge } from '@devmesh/testing/scripted-forge';

/** A repository with one finding that has a safe fix, served by the forge from now on; the folder of the repository. */
export async function serveSmallRepository(forge: ScriptedForge): Promise<string> {
  const repository = makeRepository([
    ['package.json', '{ "name": "small", "main": "src/token.ts" }\n'],
    ['src/token.ts', 'export const token = (): string => Math.random().toString(36).slice(2);\n'],
  ]);
  await forge.start(repository);
  return repository;
}

/** What a mesh must be told to clone from this forge, push to it and open pull requests. */
export function forgeSettings(forge: ScriptedForge): Record<string, string> {
  return {
    DEVMESH_CLONE_PROTOCOLS: '["http"]',
    DEVMESH_PUSH_PROTOCOLS: '["http"]',
    DEVMESH_FORGES: JSON.stringify({ [new URL(forge.url).host]: { token: forge.token, api: `${forge.url}/api` } }),
  };
}
