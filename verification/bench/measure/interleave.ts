/** One measurement of one subject. */
export interface Turn {
  /** In the unit of the case. */
  value: number;
  /** CPU time of the subject's process for one call, message or megabyte; undefined where the case has no such cost. */
  cpuMicros?: number;
}

/** The turns of one subject, or why it has none. */
export type Outcome = { turns: readonly Turn[] } | { failure: string };

/**
 * Gives every subject its turn in every round: what the machine does besides then falls on all of them alike.
 * A subject that fails once is out, because a median of fewer rounds than the others' would not compare.
 */
export async function interleave<Name extends string>(
  subjects: readonly Name[],
  rounds: number,
  measure: (subject: Name, round: number) => Promise<Turn>,
): Promise<Map<Name, Outcome>> {
  const turns = new Map<Name, Turn[]>(subjects.map((subject) => [subject, []]));
  const outcomes = new Map<Name, Outcome>();
  for (let round = 0; round < rounds; round++) {
    for (const [subject, taken] of turns) {
      try {
        taken.push(await measure(subject, round));
      } catch (error) {
        outcomes.set(subject, { failure: error instanceof Error ? error.message : String(error) });
        turns.delete(subject);
      }
    }
  }
  for (const [subject, taken] of turns) outcomes.set(subject, { turns: taken });
  return outcomes;
}
