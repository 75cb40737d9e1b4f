import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { chunkedBodies, codedBodies, contentLengths } from "./http1-cases/bodies.ts";
import { connections } from "./http1-cases/connections.ts";
import { headerFields } from "./http1-cases/header-fields.ts";
import type { Http1Case } from "./http1-cases/http1-case.ts";
import { requestLines } from "./http1-cases/request-lines.ts";
import { Http1Readers } from "./support/http1-readers.ts";

const topics: Readonly<Record<string, readonly Http1Case[]>> = {
  "request lines": requestLines,
  "header fields": headerFields,
  "bodies by their length": contentLengths,
  "chunked bodies": chunkedBodies,
  "other codings of bodies": codedBodies,
  connections,
};

describe("the reader of HTTP/1.1, next to that of node:http,", () => {
  const readers = new Http1Readers();
  before(() => readers.start());
  after(() => readers.close());

  for (const [topic, cases] of Object.entries(topics)) {
    describe(`reads ${topic}:`, () => {
      for (const { title, text, served, stricter } of cases) {
        const refused = stricter === undefined ? "" : ", of which node:http serves more";
        it(`${title}: ${served} served${refused}`, async () => {
          const whole = { text, splits: [] };
          const [ours, theirs] = await Promise.all([readers.ours(whole), readers.theirs(whole)]);
          const shown = JSON.stringify({ text, ours, theirs });
          assert.equal(ours.length, served, shown);
          assert.deepEqual(ours, theirs.slice(0, ours.length), shown);
          if (stricter === undefined) assert.equal(theirs.length, served, shown);
          else assert.ok(theirs.length > served, shown);
          const pieces = text.length > 600 ? 16 : 1;
          const splits = Array.from({ length: Math.floor(text.length / pieces) }, (_, at) => at * pieces);
          assert.deepEqual(await readers.ours({ text, splits }), ours, "in pieces it is read as it is as a whole");
        });
      }
    });
  }

  it("has a case for each thing that a client may send, each once", () => {
    const all = Object.values(topics).flat();
    assert.equal(new Set(all.map(({ text }) => text)).size, all.length);
    assert.ok(all.length >= 166, `${all.length} cases`);
  });
});
