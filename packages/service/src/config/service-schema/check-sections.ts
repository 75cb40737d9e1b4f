import type { StandardIssue, StandardResult, StandardSchemaV1 } from "../schema/standard-schema.ts";

/** A part of a configuration with its own schema. */
export interface Section {
  readonly path: readonly string[];
  readonly schema: StandardSchemaV1<unknown, unknown>;
  /** Keys of the section that the schema does not see. */
  readonly without?: readonly string[];
  /** Whether an absent section is validated as `{}` instead of skipped. */
  readonly isAlwaysThere: boolean;
}

/** The schemas' outputs by dotted path. */
export type SectionValues = ReadonlyMap<string, unknown>;

/** Combines sections into one schema: validates each by its own schema, then assembles the value. */
export function sectionsSchema<Value>(
  sections: readonly Section[],
  assemble: (values: SectionValues) => StandardResult<Value>,
): StandardSchemaV1<unknown, Value> {
  return { "~standard": { version: 1, vendor: "tercel", validate } };

  async function validate(root: unknown): Promise<StandardResult<Value>> {
    const values = new Map<string, unknown>();
    const issues: StandardIssue[] = [];
    for (const section of sections) {
      const written = valueAt(root, section.path);
      if (written === undefined && !section.isAlwaysThere) continue;
      const result = await section.schema["~standard"].validate(omit(written ?? {}, section.without));
      if (result.issues === undefined) values.set(section.path.join("."), result.value);
      // Not copied: other properties of valibot's issues are used later.
      else issues.push(...result.issues.map((issue) => ({ ...issue, path: [...section.path, ...(issue.path ?? [])] })));
    }
    return issues.length > 0 ? { issues } : assemble(values);
  }
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    return typeof value === "object" && value !== null && Object.hasOwn(value, key)
      ? (value as Record<string, unknown>)[key]
      : undefined;
  }, root);
}

function omit(value: unknown, keys: readonly string[] = []): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || keys.length === 0) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}
