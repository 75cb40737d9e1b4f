/** The values of each parameter. */
export type Parameters = Readonly<Record<string, readonly string[]>>;
/** One value of each parameter. */
export type Row<Of extends Parameters> = { readonly [Name in keyof Of]: Of[Name][number] };

/**
 * Returns a small number of rows in which every two values of different parameters occur together, because most errors depend on at most two of them. Each
 * row has the most pairs that no row before it has. The same parameters give the same rows.
 */
export function pairwise<const Of extends Parameters>(parameters: Of): readonly Row<Of>[] {
  const all = productOf(parameters).map((row) => ({ row, pairs: pairsOf(row) }));
  const missing = new Set(all.flatMap(({ pairs }) => pairs));
  const rows: Row<Of>[] = [];
  while (missing.size > 0) {
    const counted = all.map(({ row, pairs }) => ({
      row,
      pairs,
      count: pairs.filter((pair) => missing.has(pair)).length,
    }));
    const best = counted.reduce((one, other) => (other.count > one.count ? other : one));
    rows.push(best.row as Row<Of>);
    for (const pair of best.pairs) missing.delete(pair);
  }
  return rows;
}

/** Returns every combination. */
export function productOf(parameters: Parameters): readonly Readonly<Record<string, string>>[] {
  return Object.entries(parameters).reduce<Record<string, string>[]>(
    (rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
}

/** Returns every pair of a row: `database=sqlite cache=redis`. */
export function pairsOf(row: Readonly<Record<string, string>>): readonly string[] {
  const values = Object.entries(row).map(([name, value]) => `${name}=${value}`);
  return values.flatMap((one, at) => values.slice(at + 1).map((other) => `${one} ${other}`));
}
