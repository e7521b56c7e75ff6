/** Where parts of a service learn under which base URL it can be reached, once it listens. */
export class Listening {
  readonly #listeners: ((address: string) => void | Promise<void>)[] = [];

  /** Called with the base URL each time the service begins to listen. */
  add(listener: (address: string) => void | Promise<void>): void {
    this.#listeners.push(listener);
  }

  async tell(address: string): Promise<void> {
    for (const listener of this.#listeners) await listener(address);
  }
}
