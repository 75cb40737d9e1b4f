import { usageFailure } from "../frame/failure.ts";

/**
 * Fills `${NAME}` from the environment, so that a secret is neither in the list of processes nor in a file; `$${` stands for `${`.
 *
 * @throws CommandFailure that names the variable that is not set, and where it is used
 */
export function fillVariables(text: string, env: Readonly<Record<string, string | undefined>>, where: string): string {
  return text.replace(/\$?\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (written, name: string) => {
    if (written.startsWith("$$")) return written.slice(1);
    const value = env[name];
    if (value === undefined) throw usageFailure(`${name} is not set, which ${where} uses`);
    return value;
  });
}
