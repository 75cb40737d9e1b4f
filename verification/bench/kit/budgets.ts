/** What the specification of the service kit asks for (its §3), and what was measured. */
export interface Budget {
  readonly name: string;
  readonly unit: string;
  readonly measured: number;
  /** The most, or the least, that keeps it. */
  readonly limit: number;
  readonly isKeptBelow: boolean;
  /** Shown next to it. */
  readonly note?: string;
}

export function isKept({ measured, limit, isKeptBelow }: Budget): boolean {
  return isKeptBelow ? measured <= limit : measured >= limit;
}

/** The budgets for a reader, a line each. */
export function renderBudgets(budgets: readonly Budget[]): string {
  const lines = budgets.map((budget) => {
    const { name, unit, measured, limit, isKeptBelow, note } = budget;
    const figure = `${Math.round(measured).toLocaleString("en-US")} ${unit}`;
    const asked = `${isKeptBelow ? "at most" : "at least"} ${limit.toLocaleString("en-US")}`;
    return `  ${name.padEnd(44)}${figure.padStart(16)}   ${asked}${isKept(budget) ? "" : "   MISSED"}${note === undefined ? "" : `   (${note})`}`;
  });
  return `\n${lines.join("\n")}\n`;
}
