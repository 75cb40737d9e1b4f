import { usageFailure } from "../frame/failure.ts";

/**
 * Replaces `${NAME}` by an environment variable, so that a secret is neither in the list of processes nor in a file; `$${` is a literal `${`.
 *
 * @throws CommandFailure with the name of an unset variable and its use
 */
export function fillVariables(text: string, env: Readonly<Record<string, string | undefined>>, where: string): string {
  return text.replace(/\$?\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (written, name: string) => {
    if (written.startsWith("$$")) return written.slice(1);
    const value = env[name];
    if (value === undefined) throw usageFailure(`variable ${name} is not set; ${where} uses it`);
    return value;
  });
}
