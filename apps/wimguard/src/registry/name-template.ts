import type { FileEngineName } from "../engine/compression.ts";
import { fail } from "../failure/failure.ts";

/** How archives are named where nothing else is said. */
export const defaultTemplateOf: Readonly<Record<FileEngineName, string>> = {
  tar: "{name}-{date}-{time}.tar.zst",
  wim: "{name}-{date}-{time}.wim",
};

/** For files that hold all backups of a source. */
export const appendTemplate = "{name}.wim";

export interface TemplateValues {
  /** Of the backup: the last part of its source. */
  readonly name: string;
  readonly timeMs: number;
}

const maxCharacters = 128;

/**
 * Fills in a template: `{name}`, `{date}` as 2026-12-01 and `{time}` as 043005, both in UTC, so that names have one order.
 *
 * @throws FailureError FIELD_INVALID for an unknown placeholder, or a name that would lead to another folder
 */
export function expandTemplate(template: string, { name, timeMs }: TemplateValues): string {
  const [date = "", time = ""] = new Date(timeMs).toISOString().slice(0, 19).split("T");
  const values: Readonly<Record<string, string>> = {
    // A source that is the root of the file system has no name.
    name: name === "/" ? "root" : name,
    date,
    time: time.replaceAll(":", ""),
  };
  if (template.length > maxCharacters || /[/\0]/.test(template) || /^\.*$/.test(template)) {
    invalid(template, `use a file name of at most ${maxCharacters} characters, without a folder`);
  }
  return template.replace(/\{([^}]*)\}/g, (_, key: string) => {
    if (Object.hasOwn(values, key)) return values[key] ?? "";
    return invalid(template, `unknown {${key}}, use {name}, {date} and {time}`);
  });
}

function invalid(template: string, problem: string): never {
  const shown = JSON.stringify(template.slice(0, maxCharacters));
  fail({ reason: "FIELD_INVALID", field: "destination.template", message: `invalid template ${shown}: ${problem}` });
}
