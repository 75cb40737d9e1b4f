/** The environment of a program, which selects overlays and defaults. */
export interface EnvironmentName {
  readonly name: string;
  /** True for every name except `development` and `test`, so that production under another name is not insecure. */
  readonly isProduction: boolean;
  /** The variable that set it: `TERCEL_ENV`, `NODE_ENV`, or undefined for the default. */
  readonly from?: string;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/**
 * Returns the environment of `TERCEL_ENV` (or of another prefix), then of `NODE_ENV`, else `development`. An empty variable counts as unset.
 *
 * @throws RangeError for a name that is not a valid file name
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
        `variable ${variable} is ${shown}; expected a name of letters, digits, - and _, such as production`,
      );
    }
    return { name, isProduction: name !== "development" && name !== "test", from: variable };
  }
  return { name: "development", isProduction: false };
}
