import { fail } from "../failure/failure.ts";
import { secretMark } from "./hide-secrets.ts";

type Variables = Readonly<Record<string, string>>;

const formats: Readonly<Record<string, (variables: Variables) => string>> = {
  dotenv: (variables) => toLines(variables, (name, value) => `${name}=${JSON.stringify(value)}`),
  sh: (variables) => toLines(variables, (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`),
  json: (variables) => `${JSON.stringify(Object.fromEntries(shownOf(variables)), undefined, 2)}\n`,
};

/**
 * Formats variables as text that a program can load. Secrets are left out, because they were not stored.
 *
 * @throws FailureError FIELD_INVALID for an unknown format
 */
export function exportVariables(variables: Variables, format: string): string {
  const known = Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (known !== undefined) return known(variables);
  const message = `unknown format ${JSON.stringify(format.slice(0, 64))}: use ${Object.keys(formats).join(", ")}`;
  fail({ reason: "FIELD_INVALID", field: "format", message });
}

function shownOf(variables: Variables): (readonly [string, string])[] {
  return Object.entries(variables).filter(([, value]) => !value.startsWith(secretMark));
}

/** A name that a shell does not take would be a command. */
function toLines(variables: Variables, format: (name: string, value: string) => string): string {
  return Object.entries(variables)
    .filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    .map(([name, value]) =>
      value.startsWith(secretMark) ? `# ${name} is a secret, which was not stored\n` : `${format(name, value)}\n`,
    )
    .join("");
}
