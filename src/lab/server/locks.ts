/** Runs tasks with the same key one after another, so that two saves of one file never overlap. */
export class Locks {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the task when every earlier one with this key has ended, well or badly. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const earlier = this.#last.get(key);
    const mine = (async () => {
      await earlier?.catch(() => undefined);
      return task();
    })();
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
