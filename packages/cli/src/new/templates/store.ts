import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";
import { storeContract } from "./store-contract.ts";

/** Returns `src/store.ts` of a service with a database. */
export function storeFile(plan: ServicePlan): string {
  const { names, with: chosen } = plan;
  const { snake, pascal, pluralSnake, pluralWords, second } = names;
  const publishes = chosen.events !== "none";
  const time = chosen.database === "postgres" ? "Date | string" : "string";
  return joinLines(
    'import { randomUUID } from "node:crypto";',
    'import { create } from "@bufbuild/protobuf";',
    'import { timestampFromDate } from "@bufbuild/protobuf/wkt";',
    'import { type Database, type Queries, sql } from "@tercel/service";',
    `import { type ${pascal}, ${publishes ? `${pascal}CreatedSchema, ` : ""}${pascal}Schema } from "../gen/${snake}/v1/${snake}_pb.ts";`,
    "",
    storeContract(plan),
    `interface ${pascal}Row {`,
    "  readonly id: string;",
    "  readonly name: string;",
    `  readonly ${second}: string;`,
    chosen.database === "postgres" && "  /** PostgreSQL returns dates; SQLite, in tests, ISO strings. */",
    `  readonly created_at: ${time};`,
    `  readonly updated_at: ${time};`,
    "}",
    "",
    `const columns = sql\`id, name, ${second}, created_at, updated_at\`;`,
    "",
    `/** Stores ${pluralWords} in the database. All SQL of the service is here. */`,
    `export function create${pascal}Store(db: Database): ${pascal}Store {`,
    "  return {",
    "    async find(id) {",
    `      const row = await db.first<${pascal}Row>(sql\`SELECT \${columns} FROM ${pluralSnake} WHERE id = \${id}\`);`,
    `      return row && to${pascal}(row);`,
    "    },",
    "",
    "    async list(afterId, limit) {",
    `      const rows = await db.all<${pascal}Row>(`,
    `        sql\`SELECT \${columns} FROM ${pluralSnake} WHERE id > \${afterId} ORDER BY id LIMIT \${limit}\`,`,
    "      );",
    `      return rows.map(to${pascal});`,
    "    },",
    "",
    publishes ? "    create: (fields) =>" : "    async create(fields) {",
    ...(publishes
      ? [
          "      db.transaction(async (tx) => {",
          `        const ${names.camel} = to${pascal}(await insert(tx, fields));`,
          `        await tx.publish(${pascal}CreatedSchema, { ${names.camel} }, { key: ${names.camel}.id });`,
          `        return ${names.camel};`,
          "      }),",
        ]
      : [`      return to${pascal}(await insert(db, fields));`, "    },"]),
    "",
    `    async update(id, { name, ${second} }) {`,
    `      const row = await db.first<${pascal}Row>(`,
    `        sql\`UPDATE ${pluralSnake}
            SET name = COALESCE(\${name}, name), ${second} = COALESCE(\${${second}}, ${second}), updated_at = \${new Date()}
            WHERE id = \${id}
            RETURNING \${columns}\`,`,
    "      );",
    `      return row && to${pascal}(row);`,
    "    },",
    "",
    "    async delete(id) {",
    `      const { changes } = await db.run(sql\`DELETE FROM ${pluralSnake} WHERE id = \${id}\`);`,
    "      return changes > 0;",
    "    },",
    "  };",
    "}",
    "",
    `function insert(queries: Queries, { name, ${second} }: ${pascal}Fields): Promise<${pascal}Row> {`,
    "  const now = new Date();",
    `  return queries.one<${pascal}Row>(`,
    `    sql\`INSERT INTO ${pluralSnake} (\${columns})
        VALUES (\${randomUUID()}, \${name}, \${${second}}, \${now}, \${now})
        RETURNING \${columns}\`,`,
    "  );",
    "}",
    "",
    `function to${pascal}(row: ${pascal}Row): ${pascal} {`,
    `  return create(${pascal}Schema, {`,
    "    id: row.id,",
    "    name: row.name,",
    `    ${second}: row.${second},`,
    "    createdAt: timestampFromDate(new Date(row.created_at)),",
    "    updatedAt: timestampFromDate(new Date(row.updated_at)),",
    "  });",
    "}",
  );
}
