import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** The interface in `src/store.ts`, whatever is below it. Ends with an empty line. */
export function storeContract({ names: { pascal, one, pluralWords, second, unique } }: ServicePlan): string {
  return joinLines(
    `export interface ${pascal}Fields {`,
    "  readonly name: string;",
    `  readonly ${second}: string;`,
    "}",
    "",
    "/** What is undefined stays as it is. */",
    `export interface ${pascal}Changes {`,
    "  readonly name: string | undefined;",
    `  readonly ${second}: string | undefined;`,
    "}",
    "",
    `export interface ${pascal}Store {`,
    `  find(id: string): Promise<${pascal} | undefined>;`,
    `  /** Returns ${pluralWords} in the order of their ids: those after \`afterId\`, or from the first one if it is empty. */`,
    `  list(afterId: string, limit: number): Promise<${pascal}[]>;`,
    `  /** Rejects with UniqueViolation if there is ${one} with the same ${unique}. */`,
    `  create(fields: ${pascal}Fields): Promise<${pascal}>;`,
    "  /** Resolves to undefined if there is none with the id. Rejects with UniqueViolation as `create` does. */",
    `  update(id: string, changes: ${pascal}Changes): Promise<${pascal} | undefined>;`,
    "  /** Resolves to false if there is none with the id. */",
    "  delete(id: string): Promise<boolean>;",
    "}",
  );
}
