import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, equals, type MessageInitShape } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { applyFieldMask, type FieldMaskOptions } from "@tercel/aip";
import { readFieldViolations } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import { type Book, BookSchema } from "./gen/tercel/aip/test/v1/book_pb.ts";

type Init = MessageInitShape<typeof BookSchema>;

function update(target: Init, source: Init, paths: string[] | undefined, options?: FieldMaskOptions): Book {
  const result = create(BookSchema, target);
  const mask = paths === undefined ? undefined : create(FieldMaskSchema, { paths });
  applyFieldMask(BookSchema, result, create(BookSchema, source), mask, options);
  return result;
}

function assertBook(actual: Book, expected: Init): void {
  assert.ok(
    equals(BookSchema, actual, create(BookSchema, expected)),
    JSON.stringify(actual, (_, v) => (typeof v === "bigint" ? `${v}n` : v)),
  );
}

describe("field masks", () => {
  it("copy the named fields and leave the others unchanged", () => {
    assertBook(update({ title: "a", pages: 1 }, { title: "b", pages: 2 }, ["title"]), { title: "b", pages: 1 });
  });

  it("clear a named field that the update does not set", () => {
    const target = { title: "a", tags: ["x"], labels: { a: "b" }, author: { city: "c" }, subtitle: "s", pages: 1 };
    assertBook(update(target, {}, ["title", "tags", "labels", "author", "subtitle"]), { pages: 1 });
  });

  for (const [name, paths] of [
    ["absent", undefined],
    ["empty", []],
  ] as const) {
    it(`select the fields that are set, when they are ${name}`, () => {
      assertBook(
        update({ title: "a", pages: 1 }, { title: "b", subtitle: "" }, paths === undefined ? paths : [...paths]),
        {
          title: "b",
          pages: 1,
          subtitle: "",
        },
      );
    });
  }

  it("replace everything with *", () => {
    assertBook(update({ title: "a", pages: 1, shelf: "s" } as Init, { title: "b" }, ["*"]), { title: "b" });
  });

  it("select fields of nested messages", () => {
    const target = { author: { fullName: "a", city: "b" } };
    assertBook(update(target, { author: { city: "c" } }, ["author.city"]), { author: { fullName: "a", city: "c" } });
    assertBook(update(target, {}, ["author.city"]), { author: { fullName: "a" } });
    assertBook(update({}, { author: { city: "c" } }, ["author.city"]), { author: { city: "c" } });
  });

  it("do not create a message by clearing one of its fields", () => {
    assertBook(update({}, {}, ["author.city"]), {});
  });

  it("switch a oneof from one member to another", () => {
    const target: Init = { place: { case: "shelf", value: "s" } };
    const source: Init = { place: { case: "lentTo", value: { city: "c" } } };
    assertBook(update(target, source, ["lent_to"]), source);
    assertBook(update(target, source, ["shelf"]), {});
  });

  it("copy lists and messages, so that update and target share nothing", () => {
    const source = create(BookSchema, { tags: ["x"], author: { city: "c" } });
    const target = create(BookSchema);
    applyFieldMask(BookSchema, target, source, undefined);
    target.tags.push("y");
    if (target.author !== undefined) target.author.city = "d";
    assert.deepEqual(source.tags, ["x"]);
    assert.equal(source.author?.city, "c");
  });

  it("report every unknown path, and then change nothing", async () => {
    const target = create(BookSchema, { title: "a" });
    const mask = create(FieldMaskSchema, { paths: ["title", "titel", "author.town", "pages.x", "tags.y", ""] });
    const applying = Promise.resolve().then(() => applyFieldMask(BookSchema, target, create(BookSchema), mask));
    const error = await assertStatus(applying, Code.InvalidArgument);
    const violations = readFieldViolations(error);
    assert.deepEqual(new Set(violations.map((one) => one.field)), new Set(["update_mask"]));
    const texts = violations.map((one) => one.description);
    assert.equal(texts.length, 5);
    assert.match(texts[0] ?? "", /"titel", which does not exist; did you mean "title"/);
    assert.match(texts[1] ?? "", /"author.town", which does not exist/);
    assert.match(texts[2] ?? "", /"pages" has no fields of its own/);
    assert.equal(target.title, "a");
  });

  it("ignore output-only fields", () => {
    const options = { outputOnly: ["created_at", "author.city"] };
    const target = { createdAt: { seconds: 1n, nanos: 0 }, author: { fullName: "a", city: "b" } };
    const source = { createdAt: { seconds: 2n, nanos: 0 }, author: { fullName: "c", city: "d" }, title: "t" };
    for (const paths of [undefined, ["*"], ["created_at", "author", "title"]]) {
      assertBook(update(target, source, paths, options), {
        createdAt: { seconds: 1n, nanos: 0 },
        author: { fullName: "c", city: "b" },
        title: "t",
      });
    }
  });

  it("reject a change of an immutable field, but accept its current value", () => {
    const options = { immutable: ["name", "author.full_name", "cover"] };
    const target = { name: "n", author: { fullName: "a" }, cover: new Uint8Array([1]) };
    assertBook(update(target, { ...target, title: "t" }, ["*"], options), { ...target, title: "t" });
    assert.throws(
      () => update(target, { ...target, name: "m" }, ["name"], options),
      /names "name", which cannot be changed/,
    );
    assert.throws(() => update(target, { author: { fullName: "b" } }, undefined, options), /"author.full_name"/);
    assert.throws(() => update(target, { cover: new Uint8Array([2]) }, undefined, options), /"cover"/);
  });

  it("have at most 256 paths", () => {
    const many = (count: number): string[] => Array.from({ length: count }, () => "title");
    assertBook(update({}, { title: "a" }, many(256)), { title: "a" });
    assert.throws(() => update({}, { title: "a" }, many(257)), /has 257 paths; at most 256 are allowed/);
  });

  it("reject options with unknown fields", () => {
    assert.throws(() => update({}, {}, [], { immutable: ["nam"] }), /immutable names "nam".*did you mean "name"/);
    assert.throws(() => update({}, {}, [], { outputonly: [] } as FieldMaskOptions), /unknown option "outputonly"/);
  });
});
