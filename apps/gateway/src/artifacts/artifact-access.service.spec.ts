import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunRecord } from '@devmesh/contracts/state-api';
import { describe, expect, it } from 'vitest';
import { RunAccessService } from '../runs/run-access.service.js';
import { BASE, COMMIT, digest, OTHER_RUN, record, RUN } from '../testing/history.js';
import { ArtifactAccessService } from './artifact-access.service.js';

const BUNDLE = digest(50);
const REPORT = digest(51);
const OTHERS = digest(52);

const REPOSITORY = {
  ref: { bundles: [BUNDLE], commit: COMMIT, base: BASE, shallow: [] },
  origin: '/somewhere',
  notices: [],
};
const RUNS: RunRecord[] = [
  record({ repository: REPOSITORY }),
  record({
    id: OTHER_RUN,
    projectId: 'beta',
    repository: { ...REPOSITORY, ref: { ...REPOSITORY.ref, bundles: [OTHERS] } },
  }),
];

/** Two projects with a run each; each run lists one report. */
function access(): ArtifactAccessService {
  const state = {
    run: async (id: string) => {
      const run = RUNS.find((r) => r.id === id);
      if (run === undefined) throw new DevmeshError('not_found', 'no run');
      return run;
    },
    runs: async ({ projectId }: { projectId?: string | undefined }) => ({
      items: RUNS.filter((run) => run.projectId === projectId),
      nextCursor: null,
    }),
    runArtifacts: async (id: string) => ({
      items: [
        {
          digest: id === RUN ? REPORT : OTHERS,
          name: 'report.md',
          mediaType: 'text/markdown',
          size: 1,
          step: 'report',
          iteration: 1,
        },
      ],
    }),
  };
  return new ArtifactAccessService(state, new RunAccessService(state));
}

describe('a project may read', () => {
  it('what it uploaded', async () => {
    const service = access();
    await expect(service.assertReadable('alpha', digest(1), undefined)).rejects.toMatchObject({ code: 'not_found' });
    service.grant('alpha', [digest(1)]);
    await service.assertReadable('alpha', digest(1), undefined);
  });

  it('what its runs list, when the run is named', async () => {
    await access().assertReadable('alpha', REPORT, RUN);
  });

  it('what its runs were made from, run named or not', async () => {
    await access().assertReadable('alpha', BUNDLE, RUN);
    await access().assertReadable('alpha', BUNDLE, undefined);
  });
});

describe('a project may not read', () => {
  it('what another one uploaded', async () => {
    const service = access();
    service.grant('beta', [digest(1)]);
    await expect(service.assertReadable('alpha', digest(1), undefined)).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each([
    ['by digest alone', OTHERS, undefined],
    ['through a run of its own', OTHERS, RUN],
    ['through the run of the other', OTHERS, OTHER_RUN],
    ['through a run that is not there', OTHERS, '018bcfe5-6800-7000-8000-00000000000f'],
  ])("another's artifact %s", async (_, artifact, run) => {
    await expect(access().assertReadable('alpha', artifact, run)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('an artifact of its run without saying which, and is told what to do', async () => {
    await expect(access().assertReadable('alpha', REPORT, undefined)).rejects.toThrow(/\?run=RUN/);
  });
});

describe('a run may be built on', () => {
  it('bundles of the project, uploaded or of an earlier run', async () => {
    const service = access();
    service.grant('alpha', [digest(1)]);
    await service.assertUsable('alpha', [digest(1), BUNDLE]);
  });

  it("no other's bundle, which is named with the cure", async () => {
    const error = await access()
      .assertUsable('alpha', [BUNDLE, OTHERS])
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'invalid_repository' });
    expect(String(error)).toContain(`PUT /v1/artifacts/${OTHERS}`);
  });
});

describe('a project may name in what it submits', () => {
  it('what it may read', async () => {
    const service = access();
    await service.assertNameable('alpha', new Set([BUNDLE, '0'.repeat(64)]));
    await service.assertNameable('alpha', new Set([BUNDLE, REPORT]), RUN);
    service.grant('alpha', [digest(1)]);
    await service.assertNameable('alpha', new Set([digest(1)]));
  });

  it('nothing else', async () => {
    const named = access().assertNameable('alpha', new Set([BUNDLE, OTHERS]), RUN);
    await expect(named).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(OTHERS) as string,
    });
  });
});
