/** What a check found; `details` are shown to operators and hold no secret. */
export interface HealthReport {
  readonly up: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface HealthCheck {
  readonly name: string;
  /** Whether the service is of no use without it: then readiness fails when it is down. */
  readonly critical: boolean;
  /** May throw, which counts as down. Must end within a few seconds. */
  check(): HealthReport | Promise<HealthReport>;
}

/** Where the parts of a service say how they are. */
export class HealthRegistry {
  readonly #checks = new Map<string, HealthCheck>();
  readonly #details = new Map<string, () => unknown>();

  /** Adds a check; a second one of the same name replaces the first. */
  addCheck(check: HealthCheck): void {
    this.#checks.set(check.name, check);
  }

  /** Adds a member to `/health` that never fails it, e.g. the states of breakers. */
  addDetails(name: string, read: () => unknown): void {
    this.#details.set(name, read);
  }

  get checks(): readonly HealthCheck[] {
    return [...this.#checks.values()];
  }

  details(): Record<string, unknown> {
    return Object.fromEntries([...this.#details].map(([name, read]) => [name, read()]));
  }
}
