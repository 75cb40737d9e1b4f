import { statSync } from "node:fs";
import { fail } from "../../../failure/failure.ts";
import { hasErrorCode } from "../../../failure/to-failure.ts";

/** Variables by which restic finds a password. */
const passwordVariables = ["RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD", "RESTIC_PASSWORD_COMMAND"];

/**
 * Checks where the password of a repository comes from: `file:` and an absolute path, or `env:` and the name of a variable.
 *
 * @throws FailureError FIELD_INVALID
 */
export function checkSecretRef(field: string, secretRef: string): string {
  if (secretRef === "" || /^file:\/[^\0\n]*$/.test(secretRef) || /^env:[A-Za-z_][A-Za-z0-9_]*$/.test(secretRef)) {
    return secretRef;
  }
  const message = `invalid ${field}: use file: and the absolute path of a file with the password, or env: and the name of a variable`;
  fail({ reason: "FIELD_INVALID", field, message });
}

/**
 * The variables by which restic gets the password: never on its command line, which every user can read. A password in a file is read by
 * restic itself, and one in a variable of the daemon stays in a variable.
 *
 * @throws FailureError SECRET_UNUSABLE
 */
export function secretEnvironment(secretRef: string, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  if (secretRef.startsWith("file:")) {
    const path = secretRef.slice("file:".length);
    checkFile(path);
    return { RESTIC_PASSWORD_FILE: path };
  }
  if (secretRef.startsWith("env:")) {
    const name = secretRef.slice("env:".length);
    const password = env[name] ?? "";
    if (password === "") unusable(`the variable ${name} is not set in the daemon's environment`);
    return { RESTIC_PASSWORD: password };
  }
  const own = Object.fromEntries(passwordVariables.map((name) => [name, env[name]]).filter(([, value]) => value));
  if (Object.keys(own).length > 0) return own;
  return unusable(
    "the repository has no password: register it with one (registry add-destination --secret file:PATH), or start the daemon with RESTIC_PASSWORD_FILE",
  );
}

/** The daemon's environment without what would lead restic to another repository or password. */
export function cleanEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const left = [...passwordVariables, "RESTIC_REPOSITORY", "RESTIC_REPOSITORY_FILE"];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !left.includes(name)));
}

function checkFile(path: string): void {
  let mode: number;
  try {
    mode = statSync(path).mode;
  } catch (error) {
    const problem = hasErrorCode(error, "ENOENT") ? "does not exist" : `cannot be read (${(error as Error).message})`;
    unusable(`the password file ${path} ${problem}`, path);
  }
  if ((mode & 0o077) === 0) return;
  unusable(`the password file ${path} can be read by other users: chmod 600 ${path}`, path);
}

function unusable(message: string, path?: string): never {
  fail({ reason: "SECRET_UNUSABLE", engine: "restic", message, ...(path !== undefined && { path }) });
}
