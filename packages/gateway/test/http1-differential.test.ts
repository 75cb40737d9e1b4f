import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Http1Readers } from "./support/http1-readers.ts";
import { makeSession } from "./support/http1-sessions.ts";

const sessions = 600;
const atOnce = 20;

describe("the reader of HTTP/1.1", () => {
  const readers = new Http1Readers();
  before(() => readers.start());
  after(() => readers.close());

  it(`understands each request of ${sessions} sessions as node:http does, or refuses it: it is never more lenient`, async () => {
    let understood = 0;
    for (let first = 1; first <= sessions; first += atOnce) {
      const seeds = Array.from({ length: atOnce }, (_, at) => first + at);
      await Promise.all(
        seeds.map(async (seed) => {
          const session = makeSession(seed);
          const [ours, theirs] = await Promise.all([readers.ours(session), readers.theirs(session)]);
          const shown = `session ${seed}: ${JSON.stringify(session)}\nours: ${ours}\nnode: ${theirs}`;
          assert.ok(ours.length <= theirs.length, shown);
          ours.forEach((one, at) => {
            assert.equal(one, theirs[at], shown);
          });
          understood += ours.length;
        }),
      );
    }
    assert.ok(understood > sessions / 3, `${understood} requests were understood`);
  });

  it("understands requests that are in order", async () => {
    const text = "GET /a HTTP/1.1\r\nhost: a\r\n\r\nPOST /b HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi";
    const ours = await readers.ours({ text, splits: [3, 40] });
    assert.deepEqual(ours, await readers.theirs({ text, splits: [] }));
    assert.equal(ours.length, 2);
  });
});
