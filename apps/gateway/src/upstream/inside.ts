import { DevmeshError } from '@devmesh/contracts/errors';

/**
 * Passes on what a service of the mesh answered. A service that doesn't take our internal token is the mesh's fault: whoever
 * reads 401 at the public door would look for the fault in his own key.
 */
export async function inside<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof DevmeshError) || error.code !== 'unauthenticated') throw error;
    throw new DevmeshError(
      'bad_reply',
      'a service of the mesh refused its gateway: its operator finds the reason in the log',
      {
        cause: error,
      },
    );
  }
}
