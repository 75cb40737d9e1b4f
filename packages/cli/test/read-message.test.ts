import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRegistry, toJson } from "@bufbuild/protobuf";
import type { CommandFailure } from "../src/frame/failure.ts";
import { jsonText } from "../src/json/json-text.ts";
import { readAssignments } from "../src/json/read-assignments.ts";
import { readMessage } from "../src/json/read-message.ts";
import { BookSchema, file_tercel_cli_test_v1_library } from "./gen/tercel/cli/test/v1/library_pb.ts";

const registry = createRegistry(file_tercel_cli_test_v1_library);

function mistake(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert.equal((error as CommandFailure).exitCode, 4);
    return (error as Error).message;
  }
  return "";
}

function mistakeIn(json: string): string {
  return mistake(() => readMessage(BookSchema, jsonText("-d", json), registry));
}

describe("a message in JSON", () => {
  it("is read by the names of the .proto file and by those of JSON", () => {
    const json = '{"id": "1", "author": {"full_name": "Ada"}, "place": "a", "pages": 9007199254740993}';
    const book = readMessage(BookSchema, jsonText("-d", json), registry);
    assert.deepEqual(toJson(BookSchema, book as never, { registry }), {
      id: "1",
      author: { fullName: "Ada" },
      place: "a",
      pages: "9007199254740993",
    });
  });

  it("says where an unknown field is, however deep, and which one was meant", () => {
    assert.equal(mistakeIn('{"tittle": 1}'), '-d:1:2: unknown field "tittle"; did you mean "title"?');
    assert.equal(
      mistakeIn('{"author": {"teacher": {\n "ful_name": ""}}}'),
      '-d:2:2: unknown field "ful_name"; did you mean "full_name"?',
    );
    assert.equal(
      mistakeIn('{"translators": [{}, {"name": 1}]}'),
      '-d:1:23: unknown field "name"; tercel.cli.test.v1.Author has full_name, teacher',
    );
    assert.equal(
      mistakeIn('{"readers": {"a": {"fullNam": 1}}}'),
      '-d:1:20: unknown field "fullNam"; did you mean "fullName"?',
    );
  });

  it("says where a value of the wrong kind is", () => {
    assert.match(mistakeIn('{"id": "1", "pages": "many"}'), /^-d:1:22: invalid pages: /);
    assert.match(mistakeIn('{"tags": ["a", 7]}'), /^-d:1:16: invalid tags: /);
    assert.match(mistakeIn('{"labels": {"a": "b", "c": 7}}'), /^-d:1:28: invalid labels: /);
    assert.match(mistakeIn('{"genre": "GENRE_EPIC"}'), /^-d:1:11: .*GENRE_EPIC/);
    assert.match(mistakeIn('{"printed": "yesterday"}'), /^-d:1:13: invalid Timestamp: /);
    assert.match(mistakeIn('{"author": {"teacher": {"teacher": {"fullName": 5}}}}'), /^-d:1:49: invalid full_name: /);
    assert.match(mistakeIn('{"author": 5}'), /^-d:1:12: /);
  });

  it("names both fields of a oneof that are set", () => {
    assert.match(mistakeIn('{"person": "a", "library": "b"}'), /^-d:1:1: .*person and library/);
  });

  it("says which type google.protobuf.Any holds that no one knows", () => {
    assert.match(mistakeIn('{"extra": {"@type": "type.googleapis.com/no.Such"}}'), /^-d:1:11: .*no\.Such/);
  });
});

describe("assignments", () => {
  const read = (...assignments: string[]) =>
    toJson(BookSchema, readAssignments(BookSchema, assignments, registry) as never, { registry });
  const refusal = (...assignments: string[]): string =>
    mistake(() => readAssignments(BookSchema, assignments, registry));

  it("set fields of all kinds", () => {
    assert.deepEqual(
      read(
        "id=7",
        "title=a=b, c",
        "pages=9007199254740993",
        "genre=GENRE_NOVEL",
        "tags=x",
        "tags=y",
        "labels.a.b=c",
        "author.full_name=Ada",
        "author.teacher.fullName=Babbage",
        'translators={"fullName": "T"}',
        "printed=2020-01-02T03:04:05Z",
        "lent=true",
        "rating=4.5",
        "cover=AQI=",
      ),
      {
        id: "7",
        title: "a=b, c",
        pages: "9007199254740993",
        genre: "GENRE_NOVEL",
        tags: ["x", "y"],
        labels: { "a.b": "c" },
        author: { fullName: "Ada", teacher: { fullName: "Babbage" } },
        translators: [{ fullName: "T" }],
        printed: "2020-01-02T03:04:05Z",
        lent: true,
        rating: 4.5,
        cover: "AQI=",
      },
    );
  });

  it("take a number for an enum, and nothing for a text", () => {
    assert.deepEqual(read("genre=2", "note="), { genre: "GENRE_POETRY", note: "" });
  });

  it("are refused by name", () => {
    assert.equal(refusal("tittle=x"), '-d tittle=x: unknown field "tittle"; did you mean "title"?');
    assert.equal(
      refusal("author.name=x"),
      '-d author.name=x: unknown field "name"; tercel.cli.test.v1.Author has full_name, teacher',
    );
    assert.equal(refusal("labels=x"), "-d labels=x: labels is a map: use labels.KEY=VALUE");
    assert.equal(refusal("id.x=1"), "-d id.x=1: id has no fields");
    assert.match(refusal("id=1", "pages=many", "title=x"), /^-d pages=many: expected/);
    assert.match(refusal("lent=perhaps"), /^-d lent=perhaps: expected/);
    assert.match(refusal("person=a", "library=b"), /^-d library=b: oneof/);
  });
});
