import { MeshBox } from '@devmesh/testing/mesh-box';
import type { MeshBoxOptions } from '@devmesh/testing/mesh-box-plan';
import { afterAll, afterEach, beforeAll, onTestFailed, beforeEach } from 'vitest';

/**
 * One mesh of real processes for the tests of a file; whatever a test did to them, the next one finds all of them well. Options that
 * name a server of the test are asked for when its hooks have started it.
 */
export function useMeshBox(options: MeshBoxOptions | (() => MeshBoxOptions) = {}): () => MeshBox {
  let box: MeshBox | undefined;
  const get = (): MeshBox => {
    if (!box) throw new Error('the mesh in a box did not start');
    return box;
  };
  beforeAll(async () => {
    box = await MeshBox.start(typeof options === 'function' ? options() : options);
  });
  afterAll(async () => {
    await box?.stop();
  });
  beforeEach(() => {
    onTestFailed(() => console.error(box?.logs()));
  });
  afterEach(async () => {
    get().wire.clear();
    await get().restore();
  });
  return get;
}
