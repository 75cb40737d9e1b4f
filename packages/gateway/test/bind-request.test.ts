import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { HttpRuleSchema } from "@tercel/gateway/gen/google/api/http_pb.js";
import { createJsonCodec } from "@tercel/grpc/codec";
import { readErrorReason, readFieldViolations } from "@tercel/grpc/errors";
import { bindRequest } from "../src/rules/bind-request.ts";
import { parseQuery } from "../src/rules/query-parameters.ts";
import { readBindings } from "../src/rules/rest-binding.ts";
import { EverythingSchema, Library, type UpdateBookRequestSchema } from "./gen/tercel/gateway/test/v1/library_pb.ts";

type Rule = MessageInitShape<typeof HttpRuleSchema>;

interface Sent {
  readonly path?: readonly string[];
  readonly query?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly unknownQuery?: "error" | "ignore" | readonly string[];
}

/** Binds a request to the first binding of a rule. */
function bind(method: keyof typeof Library.method, rule: Rule, sent: Sent) {
  const [binding] = readBindings(Library.method[method], create(HttpRuleSchema, rule));
  assert.ok(binding !== undefined);
  return bindRequest(
    binding,
    {
      pathValues: sent.path ?? [],
      query: parseQuery(sent.query ?? ""),
      body: Buffer.from(sent.body ?? ""),
      header: (name) => sent.headers?.[name],
    },
    { json: createJsonCodec(), unknownQuery: sent.unknownQuery ?? "error" },
  );
}

const getEcho: Rule = { pattern: { case: "get", value: "/e" } };
const postEcho: Rule = { pattern: { case: "post", value: "/e" }, body: "*" };

function expect<Desc extends DescMessage>(schema: Desc, actual: unknown, init: MessageInitShape<Desc>): void {
  assert.deepEqual(actual as MessageShape<Desc>, create(schema, init));
}

function echo(query: string, init: MessageInitShape<typeof EverythingSchema>): void {
  expect(EverythingSchema, bind("echo", getEcho, { query }).message, init);
}

/** Returns the field, reason and text of the error of a request that cannot be bound. */
function refusal(run: () => unknown): { field: string | undefined; reason: string | undefined; text: string } {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    assert.equal(error.code, Code.InvalidArgument);
    const [violation] = readFieldViolations(error);
    return { field: violation?.field, reason: readErrorReason(error)?.reason, text: error.rawMessage };
  }
  return assert.fail("it was bound");
}

function refusedQuery(query: string) {
  return refusal(() => bind("echo", getEcho, { query }));
}

describe("query parameters", () => {
  it("set scalars of every type, by JSON or proto name", () => {
    echo("flag=true&small=-5&large=-9223372036854775808&smallUnsigned=4294967295", {
      flag: true,
      small: -5,
      large: -(2n ** 63n),
      smallUnsigned: 4294967295,
    });
    echo("large_unsigned=18446744073709551615&single=1.5&precise=-1e300&text=a+b%26", {
      largeUnsigned: 2n ** 64n - 1n,
      single: 1.5,
      precise: -1e300,
      text: "a b&",
    });
    echo("precise=NaN&single=-Infinity", { precise: Number.NaN, single: Number.NEGATIVE_INFINITY });
    echo("data=-_8%3D", { data: new Uint8Array([0xfb, 0xff]) });
    echo("data=%2B/8", { data: new Uint8Array([0xfb, 0xff]) });
  });

  it("set enums by name, or by number for open enums", () => {
    echo("genre=GENRE_POEM", { genre: 2 });
    echo("genre=2", { genre: 2 });
    echo("genre=99", { genre: 99 as never });
  });

  it("set repeated fields by repetition, and fields of messages by path", () => {
    echo("numbers=1&numbers=-2&genres=GENRE_NOVEL&genres=2", { numbers: [1, -2], genres: [1, 2] });
    echo("child.child.text=deep&child.small=3", { child: { small: 3, child: { text: "deep" } } });
  });

  it("set well-known types from their JSON text", () => {
    echo("at=2026-01-31T08:00:00Z&took=1.5s&mask=child.smallUnsigned,text", {
      at: { seconds: 1769846400n, nanos: 0 },
      took: { seconds: 1n, nanos: 500_000_000 },
      mask: { paths: ["child.small_unsigned", "text"] },
    });
    echo('fields={"a":1}&list=[1,2]&value="x"', {
      fields: { a: 1 },
      list: { values: [{ kind: { case: "numberValue", value: 1 } }, { kind: { case: "numberValue", value: 2 } }] },
      value: { kind: { case: "stringValue", value: "x" } },
    });
    echo("maybe_text=&maybeLarge=7&maybe=0", { maybeText: "", maybeLarge: 7n, maybe: 0 });
  });

  for (const [query, field, text] of [
    ["flag=1", "flag", /true or false/],
    ["small=2147483648", "small", /from -2147483648 to 2147483647/],
    ["small=1.0", "small", /whole number/],
    ["small=", "small", /whole number/],
    ["small=0x10", "small", /whole number/],
    ["small=007", "small", /whole number/],
    ["small_unsigned=-1", "small_unsigned", /from 0/],
    ["large=9223372036854775808", "large", /whole number/],
    [`large=${"9".repeat(5000)}`, "large", /whole number/],
    ["single=1e39", "single", /in range/],
    ["precise=1e999", "precise", /in range/],
    ["precise=0x1p3", "precise", /in range/],
    ["data=a*", "data", /base64/],
    ["genre=POEM", "genre", /GENRE_NOVEL/],
    ["at=yesterday", "at", /2026-01-31T08:00:00Z/],
    ["took=1.5", "took", /1.5s/],
    ["fields=7", "fields", /JSON/],
    ["mask=a%20b", "mask", /field names separated by commas/],
    ["small=1&small=1", "small", /occurs twice/],
    ["left=a&right=1", "right", /exclude each other/],
    ["child.left=a&child.right=1", "child.right", /exclude each other/],
    ["counts=1", "counts", /a map; send it in a body/],
    ["children=1", "children", /a list of messages/],
    ["children.text=1", "children.text", /no fields of its own/],
    ["child=1", "child", /a message/],
    ["anything=1", "anything", /a message/],
    ["at.seconds=1", "at.seconds", /no fields of its own/],
    [`${"child.".repeat(8)}text=1`, `${"child.".repeat(8)}text`, /deeper than 8/],
    ["$alt=xml", "$alt", /json/],
    ["$fields=a", "$fields", /\$prettyPrint/],
  ] as const) {
    it(`are refused as ${query.slice(0, 60)}`, () => {
      const refused = refusedQuery(query);
      assert.equal(refused.field, field);
      assert.match(refused.text, text);
    });
  }

  it("may be nested eight fields deep", () => {
    bind("echo", getEcho, { query: `${"child.".repeat(7)}text=1` });
  });

  it("set the oneofs of different messages independently", () => {
    echo("left=a&child.right=1", {
      choice: { case: "left", value: "a" },
      child: { choice: { case: "right", value: 1 } },
    });
  });

  it("of unknown fields are refused with the most similar name, unless they are ignored", () => {
    assert.deepEqual(refusedQuery("smal=1"), {
      field: "smal",
      reason: "UNKNOWN_QUERY_PARAMETER",
      text: 'smal: is not a field of tercel.gateway.test.v1.Everything; did you mean "small"?',
    });
    assert.match(refusedQuery("child.txt=1").text, /did you mean "child\.text"\?/);
    const ignored = bind("echo", getEcho, { query: "smal=1&text=a", unknownQuery: "ignore" });
    expect(EverythingSchema, ignored.message, { text: "a" });
    const tracked = { query: "utm_source=x&text=a", unknownQuery: ["utm_*", "_"] };
    expect(EverythingSchema, bind("echo", getEcho, tracked).message, { text: "a" });
    assert.throws(() => bind("echo", getEcho, { query: "utm=x", unknownQuery: ["utm_*"] }), ConnectError);
  });

  it("with $ control the response", () => {
    assert.deepEqual(bind("echo", getEcho, { query: "$alt=json;enum-encoding=int&$prettyPrint=true" }).system, {
      enumsAsNumbers: true,
      isPretty: true,
    });
    bind("echo", postEcho, { query: "$prettyPrint=false" });
  });

  it("cannot set fields of the body or the path", () => {
    assert.match(refusal(() => bind("echo", postEcho, { query: "text=a" })).text, /the body contains all fields/);
    const rule: Rule = { pattern: { case: "post", value: "/{text}" }, body: "child" };
    assert.match(refusal(() => bind("echo", rule, { path: ["x"], query: "text=a" })).text, /taken from the path/);
    assert.match(refusal(() => bind("echo", rule, { path: ["x"], query: "child.text=a" })).text, /taken from the body/);
    const inner: Rule = { pattern: { case: "get", value: "/{child.text}" } };
    assert.match(
      refusal(() => bind("echo", inner, { path: ["x"], query: "child.text=a" })).text,
      /taken from the path/,
    );
    expect(EverythingSchema, bind("echo", inner, { path: ["x"], query: "child.small=1" }).message, {
      child: { text: "x", small: 1 },
    });
  });
});

describe("the path", () => {
  it("sets scalars, enums, wrappers and times, and takes precedence over the body", () => {
    const rule: Rule = { pattern: { case: "post", value: "/{text}/{large}/{genre}/{at}/{maybe_large}" }, body: "*" };
    const path = ["a", "5", "GENRE_NOVEL", "2026-01-31T08:00:00Z", "9"];
    expect(EverythingSchema, bind("echo", rule, { path, body: '{"text":"b","flag":true}' }).message, {
      text: "a",
      large: 5n,
      genre: 1,
      at: { seconds: 1769846400n, nanos: 0 },
      maybeLarge: 9n,
      flag: true,
    });
  });

  it("is refused with the field of an invalid value", () => {
    const rule: Rule = { pattern: { case: "get", value: "/{child.small}" } };
    const refused = refusal(() => bind("echo", rule, { path: ["x"] }));
    assert.deepEqual([refused.field, refused.reason], ["child.small", "INVALID_PATH"]);
  });
});

describe("the body", () => {
  it("is the whole request, or one field of any kind", () => {
    expect(EverythingSchema, bind("echo", postEcho, { body: '{"large":5,"largeUnsigned":"6"}' }).message, {
      large: 5n,
      largeUnsigned: 6n,
    });
    const field = (body: string): Rule => ({ pattern: { case: "post", value: "/e" }, body });
    const message = (name: string, body: string) => bind("echo", field(name), { body }).message;
    expect(EverythingSchema, message("child", '{"text":"a"}'), { child: { text: "a" } });
    expect(EverythingSchema, message("numbers", "[1,2]"), { numbers: [1, 2] });
    expect(EverythingSchema, message("counts", '{"a":1}'), { counts: { a: 1 } });
    expect(EverythingSchema, message("text", '"a"'), { text: "a" });
    expect(EverythingSchema, message("at", '"2026-01-31T08:00:00Z"'), { at: { seconds: 1769846400n, nanos: 0 } });
    expect(EverythingSchema, message("maybe_text", '"a"'), { maybeText: "a" });
    expect(EverythingSchema, message("child", ""), {});
  });

  it("of one field cannot set another", () => {
    const rule: Rule = { pattern: { case: "post", value: "/e" }, body: "text" };
    assert.equal(refusal(() => bind("echo", rule, { body: '"a","flag":true' })).reason, "INVALID_BODY");
  });

  it("is refused if the method has no body", () => {
    assert.equal(refusal(() => bind("echo", getEcho, { body: "{}" })).reason, "UNEXPECTED_BODY");
  });

  it("is refused with line and column if it is not JSON", () => {
    assert.match(
      refusal(() => bind("echo", postEcho, { body: '{\n"a":}' })).text,
      /line 2, column 5: expected a value/,
    );
  });

  it("is refused with the path of a field with an invalid value", () => {
    const paths = [
      ['{"text":7}', "text"],
      ['{"child":{"children":[{},{"small":"x"}]}}', "child.children[1].small"],
      ['{"children":[{"small":1},{"small":1e10}]}', "children[1].small"],
      ['{"counts":{"a":"b"}}', "counts"],
    ] as const;
    for (const [body, field] of paths) assert.equal(refusal(() => bind("echo", postEcho, { body })).field, field);
    const rule: Rule = { pattern: { case: "post", value: "/e" }, body: "child" };
    assert.equal(refusal(() => bind("echo", rule, { body: '{"text":7}' })).field, "child.text");
  });

  it("is refused with repeated keys, a lone surrogate, bytes that are not UTF-8, and numbers out of range", () => {
    for (const body of [
      '{"text":"a","text":"b"}',
      '{"text":"\\ud800"}',
      '{"precise":1e999}',
      '{"left":"a","right":1}',
    ]) {
      assert.equal(refusal(() => bind("echo", postEcho, { body })).reason, "INVALID_BODY", body);
    }
    const [binding] = readBindings(Library.method.echo, create(HttpRuleSchema, postEcho));
    const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    const request = { pathValues: [], query: [], body, header: () => undefined };
    assert.throws(
      () =>
        bindRequest(binding as NonNullable<typeof binding>, request, {
          json: createJsonCodec(),
          unknownQuery: "error",
        }),
      ConnectError,
    );
  });

  it("may be nested up to 100 levels", () => {
    const nested = (depth: number) => `${'{"child":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;
    bind("echo", postEcho, { body: nested(99) });
    assert.match(refusal(() => bind("echo", postEcho, { body: nested(101) })).text, /nested deeper than 100/);
  });

  it("treats the key __proto__ like any other", () => {
    const { message } = bind("echo", postEcho, { body: '{"counts":{"__proto__":1},"fields":{"__proto__":{"a":1}}}' });
    const { counts } = message as MessageShape<typeof EverythingSchema>;
    assert.deepEqual(Object.entries(counts), [["__proto__", 1]]);
    assert.equal(Object.getPrototypeOf({}), Object.prototype);
    assert.equal(({} as { a?: unknown }).a, undefined);
  });
});

describe("the mask of a PATCH", () => {
  const patch: Rule = { pattern: { case: "patch", value: "/{book.name}" }, body: "book" };
  const maskOf = (body: string, query = "") => {
    const { message } = bind("updateBook", patch, { path: ["n"], body, query });
    return (message as MessageShape<typeof UpdateBookRequestSchema>).updateMask?.paths;
  };

  it("has the fields of the body, by proto name, including nested messages", () => {
    assert.deepEqual(maskOf('{"title":"a","pageCount":"7"}'), ["title", "page_count"]);
    assert.deepEqual(maskOf('{"author":{"givenName":"a","family_name":"b"}}'), [
      "author.given_name",
      "author.family_name",
    ]);
  });

  it("stops at repeated fields, maps and well-known types", () => {
    assert.deepEqual(maskOf('{"tags":["a"],"labels":{"a":"b"},"createTime":"2026-01-31T08:00:00Z"}'), [
      "tags",
      "labels",
      "create_time",
    ]);
  });

  it("has null fields, which are cleared, and empty messages", () => {
    assert.deepEqual(maskOf('{"title":null,"author":{}}'), ["title", "author"]);
  });

  it("excludes the fields of the path", () => {
    assert.deepEqual(maskOf('{"name":"other","title":"a"}'), ["title"]);
  });

  it("is taken from the query if it is set there", () => {
    assert.deepEqual(maskOf('{"title":"a"}', "updateMask=author"), ["author"]);
  });

  it("is not set without a body, nor for other HTTP methods", () => {
    assert.equal(maskOf(""), undefined);
    const put: Rule = { pattern: { case: "put", value: "/{book.name}" }, body: "book" };
    const { message } = bind("updateBook", put, { path: ["n"], body: '{"title":"a"}' });
    assert.equal((message as MessageShape<typeof UpdateBookRequestSchema>).updateMask, undefined);
  });

  it("refuses unknown fields, even where they are ignored otherwise", () => {
    const refused = refusal(() => maskOf('{"author":{"givenNam":"a"}}'));
    assert.deepEqual([refused.field, refused.reason], ["book.author.givenNam", "UNKNOWN_FIELD"]);
    assert.match(refused.text, /did you mean "givenName"/);
  });
});

describe("headers", () => {
  it("set the matching fields unless they are already set", () => {
    const create: Rule = { pattern: { case: "post", value: "/{shelf}" }, body: "book" };
    const headers = { "idempotency-key": "k", "if-match": '"v1"' };
    const { message, hasIfMatch } = bind("createBook", create, { path: ["7"], body: "{}", headers });
    assert.equal((message as { idempotencyKey?: string }).idempotencyKey, "k");
    assert.equal((message as { book?: { etag: string } }).book?.etag, '"v1"');
    assert.equal(hasIfMatch, true);
    const set = bind("createBook", create, { path: ["7"], body: '{"etag":"v2"}', query: "idempotency_key=q", headers });
    assert.equal((set.message as { idempotencyKey?: string }).idempotencyKey, "q");
    assert.equal((set.message as { book?: { etag: string } }).book?.etag, "v2");
    assert.equal(set.hasIfMatch, false);
  });
});

describe("a rule", () => {
  const refused = (method: keyof typeof Library.method, rule: Rule) => {
    try {
      readBindings(Library.method[method], create(HttpRuleSchema, rule));
    } catch (error) {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, new RegExp(Library.method[method].name));
      return error.message;
    }
    return assert.fail("it was taken");
  };

  it("is rejected for fields that cannot be in a path or do not exist", () => {
    const path = (value: string): Rule => ({ pattern: { case: "get", value } });
    assert.match(refused("echo", path("/{numbers}")), /numbers, which is repeated/);
    assert.match(refused("echo", path("/{counts}")), /counts, which is a map/);
    assert.match(refused("echo", path("/{child}")), /child, which is a tercel/);
    assert.match(refused("echo", path("/{children.text}")), /children, which is repeated/);
    assert.match(refused("echo", path("/{txt}")), /no field "txt"; did you mean "text"/);
    assert.match(refused("echo", path("/{a}/{b")), /column/);
  });

  it("is rejected for a body that is not a field, is in the path, or is not allowed by the HTTP method", () => {
    const rule = (body: string, responseBody = ""): Rule => ({
      pattern: { case: "post", value: "/{text}" },
      body,
      responseBody,
    });
    assert.match(refused("echo", rule("child.text")), /a field of the message itself/);
    assert.match(refused("echo", rule("nothing")), /no field "nothing"/);
    assert.match(refused("echo", rule("text")), /from the path and from the body/);
    assert.match(refused("echo", rule("*", "nothing")), /response_body/);
    assert.match(refused("echo", { pattern: { case: "get", value: "/e" }, body: "*" }), /GET requests have none/);
  });

  it("is rejected without a path, with nested additional bindings, and with an invalid custom kind", () => {
    assert.match(refused("echo", {}), /without a path/);
    assert.match(
      refused("echo", { ...getEcho, additionalBindings: [{ ...getEcho, additionalBindings: [getEcho] }] }),
      /of its own/,
    );
    assert.match(refused("echo", { pattern: { case: "custom", value: { kind: "A B", path: "/" } } }), /not the name/);
  });
});
