import type { ExecutionKey } from '@devmesh/contracts/ids';
import type { Execution } from '../executions/execution.js';
import { ExecutionRegistry } from '../executions/execution.registry.js';

/**
 * Joining by key switched off: no key is ever known, so each call runs the action. For tests that show what joining is for; give
 * it to `createAgentModule`.
 */
export class ForgetfulRegistry extends ExecutionRegistry {
  find(): Execution | undefined {
    return undefined;
  }

  add(): void {}

  keep(): void {}

  forget(): void {}

  bar(_key: ExecutionKey): void {}

  isBarred(): boolean {
    return false;
  }
}
