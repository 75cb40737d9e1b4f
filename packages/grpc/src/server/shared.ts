/** How many workers there are. */
export interface WorkerCounts {
  /** As many as there should be. */
  readonly wanted: number;
  /** Those whose setup is through and that are not stopping. */
  readonly ready: number;
  /** Workers that ended unexpectedly, since the start. */
  readonly lost: number;
}

/** What all workers have together. */
export interface MergedParts<Part> {
  readonly value: Part;
  readonly workers: WorkerCounts;
}

export interface SharedOptions<Part> {
  /** Tells it from other things that are shared. */
  readonly name: string;
  /** The part of this process. It is sent to another process: plain data, maps, sets, bytes. */
  readonly read: () => Part;
  /** Makes one of several, which is not empty. It runs in the parent. */
  readonly merge: (parts: readonly Part[]) => Part;
  /** What of the last part of an ended worker still counts, such as what was counted and not what was open. Default: nothing. */
  readonly keep?: (part: Part) => Part;
}

/** Something that each worker has a part of and that is read as one, such as metrics. */
export interface Shared<Part> extends SharedOptions<Part> {
  /**
   * The parts of all workers combined, collected now. A worker that does not respond within a second counts with its last
   * part it gave. In a program without workers it is the process's own.
   */
  collect(): Promise<MergedParts<Part>>;
}

/** Asks the parent for what all workers have together. */
export type AskParent = (topic: string) => Promise<MergedParts<unknown>>;

const parents = new WeakMap<object, AskParent>();

/** Creates something that `runWorkers` shares when it is among its `shared`; otherwise it is this process's own. */
export function createShared<Part>(options: SharedOptions<Part>): Shared<Part> {
  const shared: Shared<Part> = {
    ...options,
    collect() {
      const ask = parents.get(shared);
      if (ask !== undefined) return ask(options.name) as Promise<MergedParts<Part>>;
      const value = options.merge([options.read()]);
      return Promise.resolve({ value, workers: { wanted: 1, ready: 1, lost: 0 } });
    },
  };
  return shared;
}

/** From now on `collect` queries the parent. */
export function connectShared(shared: object, ask: AskParent): void {
  parents.set(shared, ask);
}
