import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns the interface in `src/store.ts`, followed by an empty line. */
export function storeContract({ names: { pascal, one, pluralWords, second, unique } }: ServicePlan): string {
  return joinLines(
    `export interface ${pascal}Fields {`,
    "  readonly name: string;",
    `  readonly ${second}: string;`,
    "}",
    "",
    "/** Undefined fields are not changed. */",
    `export interface ${pascal}Changes {`,
    "  readonly name: string | undefined;",
    `  readonly ${second}: string | undefined;`,
    "}",
    "",
    `export interface ${pascal}Store {`,
    `  find(id: string): Promise<${pascal} | undefined>;`,
    `  /** Returns ${pluralWords} ordered by id: those after \`afterId\`, or from the first one if it is empty. */`,
    `  list(afterId: string, limit: number): Promise<${pascal}[]>;`,
    `  /** Rejects with UniqueViolation if there is ${one} with the same ${unique}. */`,
    `  create(fields: ${pascal}Fields): Promise<${pascal}>;`,
    "  /** Resolves to undefined if the id is unknown. Rejects with UniqueViolation as `create` does. */",
    `  update(id: string, changes: ${pascal}Changes): Promise<${pascal} | undefined>;`,
    "  /** Resolves to false if the id is unknown. */",
    "  delete(id: string): Promise<boolean>;",
    "}",
  );
}
