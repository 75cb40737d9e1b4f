import assert from "node:assert/strict";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { describe, it } from "node:test";
import {
  compareItems,
  filterToSql,
  type ListFields,
  type ListSqlOptions,
  matchesFilter,
  orderToSql,
  parseFilter,
  parseOrderBy,
} from "@tercel/aip";
import fc from "fast-check";

const fields: ListFields = {
  title: "string",
  pages: "number",
  is_available: "bool",
  created_at: "timestamp",
  tags: { repeated: "string" },
};

interface Row {
  readonly title: string | null;
  readonly pages: number | null;
  readonly is_available: boolean | null;
  readonly created_at: Date | null;
  readonly tags: readonly string[] | null;
}

const sqlite: ListSqlOptions = {
  dialect: "sqlite",
  columns: {
    title: "title",
    pages: "pages",
    is_available: "is_available",
    created_at: { sql: "created_at_ms", toParameter: (nanos) => (nanos as bigint) / 1_000_000n },
    tags: "tags",
  },
};

const postgresql: ListSqlOptions = { ...sqlite, dialect: "postgresql", firstParameter: 3 };

const word = fc.constantFrom("a", "A", "ab", "b*", "%", "_", "[x]", "?", "\\", '"', "it's", "");
const row: fc.Arbitrary<Row> = fc.record({
  title: fc.option(word),
  pages: fc.option(fc.integer({ min: 0, max: 3 })),
  is_available: fc.option(fc.boolean()),
  created_at: fc.option(fc.constantFrom(new Date(0), new Date(1), new Date("2026-01-01T00:00:00Z"))),
  tags: fc.option(fc.array(word, { maxLength: 2 })),
});

const quoted = word.map((text) => JSON.stringify(text).replaceAll("*", "\\*"));
const pattern = fc.constantFrom('"*"', '"a*"', '"*b"', '"*a*"', '"\\*"', '"[*"', '"%*"', '"*?*"', '"*\\\\\\\\*"');
const relation = fc.constantFrom("=", "!=", "<", "<=", ">", ">=");
const comparison = fc.oneof(
  fc.tuple(fc.constant("title"), relation, quoted),
  fc.tuple(fc.constant("title"), fc.constantFrom("=", "!=", ":"), pattern),
  fc.tuple(fc.constant("pages"), relation, fc.integer({ min: -1, max: 3 }).map(String)),
  fc.tuple(fc.constant("is_available"), fc.constantFrom("=", "!="), fc.constantFrom("true", "false")),
  fc.tuple(fc.constant("created_at"), relation, fc.constantFrom("1970-01-01T00:00:00.001Z", "2026-01-01")),
  fc.tuple(fc.constant("tags"), fc.constant(":"), quoted),
);
const filterText = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    comparison.map((parts) => parts.join(" ")),
    tie("filter").map((inner) => `NOT (${inner})`),
    fc.tuple(tie("filter"), tie("filter")).map(([a, b]) => `(${a}) AND (${b})`),
    fc.tuple(tie("filter"), tie("filter")).map(([a, b]) => `(${a}) OR (${b})`),
    fc.tuple(tie("filter"), tie("filter")).map(([a, b]) => `(${a}) (${b})`),
  ),
})).filter;

const readRow = (item: Row, field: string): unknown => item[field as keyof Row] ?? undefined;

function openTable(rows: readonly Row[]): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec(
    "CREATE TABLE books (id INTEGER, title TEXT, pages INTEGER, is_available INTEGER, created_at_ms INTEGER, tags TEXT)",
  );
  const insert = database.prepare("INSERT INTO books VALUES (?, ?, ?, ?, ?, ?)");
  for (const [id, one] of rows.entries()) {
    const isAvailable = one.is_available === null ? null : Number(one.is_available);
    const tags = one.tags === null ? null : JSON.stringify(one.tags);
    insert.run(id, one.title, one.pages, isAvailable, one.created_at?.getTime() ?? null, tags);
  }
  return database;
}

describe("filters as SQL", () => {
  it("select the same rows in SQLite as matchesFilter", () => {
    fc.assert(
      fc.property(filterText, fc.array(row, { minLength: 1, maxLength: 12 }), (text, rows) => {
        const filter = parseFilter(text, fields);
        const condition = filterToSql(filter, sqlite);
        const database = openTable(rows);
        const found = database
          .prepare(`SELECT id FROM books WHERE ${condition.text} ORDER BY id`)
          .all(...(condition.values as SQLInputValue[]));
        database.close();
        const expected = rows.flatMap((one, id) => (matchesFilter(filter, one, readRow) ? [id] : []));
        assert.deepEqual(
          found.map(({ id }) => id),
          expected,
          `${text}\n${condition.text}`,
        );
      }),
      { seed: 20_260_614, numRuns: 300 },
    );
  });

  it("have no text from the request in the SQL", () => {
    const evil = "'; DROP TABLE books; --";
    for (const options of [sqlite, postgresql]) {
      const condition = filterToSql(parseFilter(`title = ${JSON.stringify(evil)}`, fields), options);
      assert.doesNotMatch(condition.text, /DROP/);
      assert.deepEqual(condition.values, [evil]);
    }
  });

  it("number PostgreSQL's parameters from firstParameter on", () => {
    const filter = parseFilter('title = "a*" AND NOT (pages = 2 OR tags:x)', fields);
    const { text, values } = filterToSql(filter, postgresql);
    assert.equal(
      text,
      "(title LIKE $3 ESCAPE '\\' AND ((pages <> $4 OR pages IS NULL) AND (NOT $5 = ANY(tags) OR tags IS NULL)))",
    );
    assert.deepEqual(values, ["a%", 2, "x"]);
  });

  it("negate only the comparisons, so that an index serves the rest", () => {
    assert.equal(filterToSql(parseFilter("pages >= 2", fields), sqlite).text, "pages >= ?");
  });

  it("reject a field without a column, and a time without toParameter", () => {
    const bare: ListSqlOptions = { dialect: "sqlite", columns: { created_at: "created_at" } };
    assert.throws(() => filterToSql(parseFilter("pages = 1", fields), bare), /no entry for the field "pages"/);
    assert.throws(() => filterToSql(parseFilter("created_at > 2026-01-01", fields), bare), /needs toParameter/);
  });
});

describe("orders", () => {
  it("sort in SQLite like compareItems", () => {
    const orderText = fc
      .uniqueArray(
        fc.tuple(fc.constantFrom("title", "pages", "is_available", "created_at"), fc.constantFrom("", " asc", " desc")),
        {
          selector: ([name]) => name,
          minLength: 1,
        },
      )
      .map((keys) => keys.map((parts) => parts.join("")).join(", "));
    fc.assert(
      fc.property(orderText, fc.array(row, { maxLength: 12 }), (text, rows) => {
        const order = parseOrderBy(text, fields);
        const database = openTable(rows);
        const sorted = database.prepare(`SELECT id FROM books ORDER BY ${orderToSql(order, sqlite)}, id`).all();
        database.close();
        const compare = compareItems(order, fields, readRow);
        const expected = [...rows.keys()].sort((a, b) => compare(rows[a] as Row, rows[b] as Row) || a - b);
        assert.deepEqual(
          sorted.map(({ id }) => id),
          expected,
          text,
        );
      }),
      { seed: 20_260_614, numRuns: 300 },
    );
  });

  it("may be empty", () => {
    assert.deepEqual(parseOrderBy(" ", fields), []);
    assert.equal(orderToSql([], sqlite), "");
  });

  for (const [text, problem] of [
    ["titel", /cannot use the field "titel"; did you mean "title"/],
    ["tags", /cannot use the field "tags"/],
    ["title,", /has an empty entry before or after a comma/],
    ["title up", /only asc or desc/],
    ["title DESC", /only asc or desc/],
    ["title desc desc", /only asc or desc/],
    ["title, pages, title desc", /has the field "title" twice/],
    ["toString", /cannot use the field "toString"/],
    ["title,".repeat(11), /more than 10 fields/],
  ] as const) {
    it(`reject ${JSON.stringify(text)}`, () => assert.throws(() => parseOrderBy(text, fields), problem));
  }
});
