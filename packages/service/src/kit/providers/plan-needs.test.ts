import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { object } from "valibot";
import type { Need, Provider } from "../../provider.ts";
import type { ConfiguredProvider } from "../run-config/run-config.ts";
import { planNeeds } from "./plan-needs.ts";

const provider = (concern: string, type: string, aliases: readonly string[] = []): Provider => ({
  concern,
  type,
  aliases,
  config: object({}),
  open: () => Promise.reject(new Error("nothing is opened by a plan")),
});
const need = (concern: string, name?: string): Need<unknown> => ({
  concern,
  ...(name !== undefined && { provider: name }),
  prepare: () => ({ port: undefined }),
});
const entry = (concern: string, name: string, type = name, isDefault = false): ConfiguredProvider => ({
  concern,
  name,
  type,
  config: {},
  isDefault,
});
const known = [
  provider("database", "sqlite"),
  provider("database", "postgres", ["postgresql"]),
  provider("events", "memory"),
];

describe("a plan of what to open", () => {
  it("has each entry once, the database before the events, with all needs that are made from it", () => {
    const entries = [entry("events", "memory"), entry("database", "postgresql")];
    const plan = planNeeds({ events: need("events"), db: need("database"), reports: need("database") }, entries, known);
    assert.deepEqual(
      plan.map(({ entry: { name }, provider: { type }, needs }) => [name, type, needs.map(({ key }) => key)]),
      [
        ["postgresql", "postgres", ["db", "reports"]],
        ["memory", "memory", ["events"]],
      ],
    );
  });

  it("takes the default of several entries, and the named one where the code names it", () => {
    const entries = [entry("database", "main", "sqlite", true), entry("database", "reporting", "postgres")];
    const plan = planNeeds({ db: need("database"), reports: need("database", "reporting") }, entries, known);
    assert.deepEqual(
      plan.map(({ entry: { name } }) => name),
      ["main", "reporting"],
    );
  });

  it("leaves clients of other services to the discovery", () => {
    assert.deepEqual(planNeeds({ orders: need("client") }, [], known), []);
  });

  for (const [what, needs, entries, text] of [
    [
      "says what to add for a need without an entry",
      { db: need("database") },
      [],
      'the service needs a database ("db"); add to the configuration (types: sqlite, postgres):\ndatabase:\n  providers:\n    sqlite: {}',
    ],
    [
      "says what to add for an entry that the code names",
      { db: need("database", "reporting") },
      [entry("database", "main", "sqlite")],
      'database "reporting" of needs.db is not configured; add to the configuration (types: sqlite, postgres):\ndatabase:\n  providers:\n    reporting:\n      type: sqlite',
    ],
    [
      "asks which of several entries is the default",
      { db: need("database") },
      [entry("database", "a", "sqlite"), entry("database", "b", "sqlite")],
      "ambiguous database of needs.db: a, b are configured; set database.default to one of them, or name it in the code",
    ],
    [
      "says which types are known",
      { db: need("database") },
      [entry("database", "main", "postgras")],
      'unknown type "postgras" of database.providers.main; did you mean "postgres"? known types: sqlite, postgres; add your own provider to the definition\'s providers',
    ],
    [
      "has a line for each need that cannot be met",
      { search: need("search"), events: need("events") },
      [],
      'the service needs a search ("search"); no provider of this concern is known: add one to the definition\'s providers\nthe service needs events ("events"); add to the configuration (types: memory):\nevents:\n  providers:\n    memory: {}',
    ],
  ] as const) {
    it(what, () => {
      assert.throws(() => planNeeds(needs as Record<string, Need<unknown>>, entries, known), { message: text });
    });
  }
});
