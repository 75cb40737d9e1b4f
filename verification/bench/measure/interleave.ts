/** One measurement of one subject. */
export interface Turn {
  /** In the unit of the case. */
  value: number;
  /** CPU time of the subject's process for one call, message or megabyte; undefined if the case does not measure it. */
  cpuMicros?: number;
}

/** The turns of a subject, or why it has none. */
export type Outcome = { turns: readonly Turn[] } | { failure: string };

/**
 * Measures every subject in every round, so that other load of the machine affects all of them.
 * A subject that fails once is excluded, because a median of fewer rounds could not be compared.
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
