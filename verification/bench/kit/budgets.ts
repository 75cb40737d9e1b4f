/** A budget of @tercel/service, and the measured value. */
export interface Budget {
  readonly name: string;
  readonly unit: string;
  readonly measured: number;
  /** The maximum or minimum value that meets it. */
  readonly limit: number;
  readonly isKeptBelow: boolean;
  /** Shown in parentheses. */
  readonly note?: string;
}

export function isKept({ measured, limit, isKeptBelow }: Budget): boolean {
  return isKeptBelow ? measured <= limit : measured >= limit;
}

/** Formats the budgets, one line each. */
export function renderBudgets(budgets: readonly Budget[]): string {
  const lines = budgets.map((budget) => {
    const { name, unit, measured, limit, isKeptBelow, note } = budget;
    const figure = `${Math.round(measured).toLocaleString("en-US")} ${unit}`;
    const asked = `${isKeptBelow ? "at most" : "at least"} ${limit.toLocaleString("en-US")}`;
    return `  ${name.padEnd(44)}${figure.padStart(16)}   ${asked}${isKept(budget) ? "" : "   MISSED"}${note === undefined ? "" : `   (${note})`}`;
  });
  return `\n${lines.join("\n")}\n`;
}
