/** The environment that a program runs in, which decides about overlays and defaults. */
export interface EnvironmentName {
  readonly name: string;
  /** Every name but `development` and `test`: what was meant as production under another name must not run with open doors. */
  readonly isProduction: boolean;
  /** What said so: `TERCEL_ENV`, `NODE_ENV`, or undefined for the default. */
  readonly from?: string;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/**
 * The environment by `TERCEL_ENV` (with another prefix: its own), then `NODE_ENV`, then `development`. An empty variable counts as unset.
 *
 * @throws RangeError for a name that could not be that of a file
 */
export function readEnvironmentName(
  variables: Readonly<Record<string, string | undefined>>,
  prefix: string,
): EnvironmentName {
  for (const variable of [`${prefix}_ENV`, "NODE_ENV"]) {
    const name = variables[variable];
    if (name === undefined || name === "") continue;
    if (!namePattern.test(name)) {
      const shown = JSON.stringify(name.slice(0, 40));
      throw new RangeError(
        `variable ${variable} is ${shown}; it is a name of letters, digits, - and _, such as production`,
      );
    }
    return { name, isProduction: name !== "development" && name !== "test", from: variable };
  }
  return { name: "development", isProduction: false };
}
