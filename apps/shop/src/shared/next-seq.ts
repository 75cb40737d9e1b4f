import { type Queries, sql } from "@tercel/service";

/**
 * Returns the next number of a counter. The transaction locks the counter's row until it ends, so numbers become visible in
 * order. Sequences and identity columns of PostgreSQL do not guarantee that.
 */
export async function nextSeq(tx: Queries, counter: string): Promise<number> {
  const { n } = await tx.one<{ n: number }>(sql`UPDATE counters SET n = n + 1 WHERE name = ${counter} RETURNING n`);
  return n;
}
