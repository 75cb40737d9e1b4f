/** Counts the jobs that read an archive, which must not be deleted meanwhile. */
export class ArchiveUse {
  readonly #counts = new Map<string, number>();

  isInUse(uuid: string): boolean {
    return this.#counts.has(uuid);
  }

  /** The function that is returned ends the use. */
  begin(uuid: string): () => void {
    this.#counts.set(uuid, (this.#counts.get(uuid) ?? 0) + 1);
    let hasEnded = false;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      const left = (this.#counts.get(uuid) ?? 1) - 1;
      if (left === 0) this.#counts.delete(uuid);
      else this.#counts.set(uuid, left);
    };
  }
}
