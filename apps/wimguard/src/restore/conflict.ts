/** What happens to a path that the target has already. */
export type Conflict =
  /** The target must be new or empty. */
  | "fail"
  /** It stays. */
  | "skip"
  /** It is replaced unless kind, size, time, mode and link target are those of the backup. */
  | "if_changed"
  /** It is replaced. */
  | "overwrite";

/** How a restore treats what is in its target. */
export interface MergeOptions {
  readonly conflict: Exclude<Conflict, "fail">;
  /** Remove what the backup does not have, inside what is restored. */
  readonly deleteExtra: boolean;
}
