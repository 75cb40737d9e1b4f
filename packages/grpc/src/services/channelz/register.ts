/** Entities with the numbers that identify them in channelz. */
export interface Register<T> {
  /** Adds a thing, once however often it is added; the returned function takes it out. */
  add(thing: T): () => void;
  find(id: bigint): T | undefined;
  /** In order of their numbers, from that number on. */
  from(id: bigint): Iterable<readonly [bigint, T]>;
}

/** An empty register that takes its numbers from `nextId`, each larger than the one before. */
export function createRegister<T>(nextId: () => bigint): Register<T> {
  const things = new Map<bigint, T>();
  return {
    add(thing) {
      const known = [...things].find(([, other]) => other === thing);
      const id = known?.[0] ?? nextId();
      things.set(id, thing);
      return () => things.delete(id);
    },
    find: (id) => things.get(id),
    *from(start) {
      for (const entry of things) if (entry[0] >= start) yield entry;
    },
  };
}
