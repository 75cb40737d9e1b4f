import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";
import { storeContract } from "./store-contract.ts";

/** Returns `src/store.ts` of a service without a database. */
export function memoryStoreFile(plan: ServicePlan): string {
  const { names, with: chosen } = plan;
  const { snake, camel, pascal, pluralSnake, pluralCamel, pluralWords, second, unique } = names;
  const publishes = chosen.events !== "none";
  return joinLines(
    'import { randomUUID } from "node:crypto";',
    'import { create } from "@bufbuild/protobuf";',
    'import { timestampNow } from "@bufbuild/protobuf/wkt";',
    `import { ${publishes ? "type Events, " : ""}UniqueViolation } from "@tercel/service";`,
    `import { type ${pascal}, ${publishes ? `${pascal}CreatedSchema, ` : ""}${pascal}Schema } from "../gen/${snake}/v1/${snake}_pb.ts";`,
    "",
    storeContract(plan),
    `/** Stores ${pluralWords} in memory: they are lost when the process ends. */`,
    `export function create${pascal}Store(${publishes ? "events: Events" : ""}): ${pascal}Store {`,
    `  const ${pluralCamel} = new Map<string, ${pascal}>();`,
    "",
    `  function refuseDuplicate(${unique}: string, ownId?: string): void {`,
    `    for (const other of ${pluralCamel}.values()) {`,
    `      if (other.${unique} === ${unique} && other.id !== ownId) throw new UniqueViolation("${pluralSnake}", ["${unique}"], undefined);`,
    "    }",
    "  }",
    "",
    "  return {",
    "    async find(id) {",
    `      return ${pluralCamel}.get(id);`,
    "    },",
    "",
    "    async list(afterId, limit) {",
    `      const following = [...${pluralCamel}.values()].filter(({ id }) => id > afterId);`,
    "      return following.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);",
    "    },",
    "",
    "    async create(fields) {",
    `      refuseDuplicate(fields.${unique});`,
    "      const now = timestampNow();",
    `      const ${camel} = create(${pascal}Schema, { id: randomUUID(), ...fields, createdAt: now, updatedAt: now });`,
    `      ${pluralCamel}.set(${camel}.id, ${camel});`,
    publishes && `      await events.publish(${pascal}CreatedSchema, { ${camel} }, { key: ${camel}.id });`,
    `      return ${camel};`,
    "    },",
    "",
    "    async update(id, changes) {",
    `      const before = ${pluralCamel}.get(id);`,
    "      if (before === undefined) return undefined;",
    `      const { name = before.name, ${second} = before.${second} } = changes;`,
    `      refuseDuplicate(${unique}, id);`,
    `      const ${camel} = create(${pascal}Schema, { ...before, name, ${second}, updatedAt: timestampNow() });`,
    `      ${pluralCamel}.set(id, ${camel});`,
    `      return ${camel};`,
    "    },",
    "",
    "    async delete(id) {",
    `      return ${pluralCamel}.delete(id);`,
    "    },",
    "  };",
    "}",
  );
}
