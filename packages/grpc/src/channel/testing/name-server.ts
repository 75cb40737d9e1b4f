import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";

const typeA = 1;
const typeTxt = 16;

export interface NameServerRecords {
  readonly ipv4?: readonly number[];
  /** The strings of one TXT record, each of at most 255 characters. */
  readonly txt?: readonly string[];
}

/** A name server on this machine, for a test, that has these records for every name, or knows no name at all (RFC 1035 §4.1). */
export async function startNameServer(test: TestContext, records: NameServerRecords | undefined) {
  const socket = createSocket("udp4");
  socket.on("message", (query, peer) => {
    // The question is the rest of the query up to the additional records: name, type, class.
    const nameEnd = query.indexOf(0, 12);
    const question = query.subarray(12, nameEnd + 5);
    const data = recordData(records, query.readUInt16BE(nameEnd + 1));
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(records === undefined ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(data === undefined ? 0 : 1, 6);
    socket.send(Buffer.concat([header, question, answer(question, data)]), peer.port, peer.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  test.after(async () => {
    socket.close();
    await once(socket, "close");
  });
  return { address: `127.0.0.1:${socket.address().port}` };
}

function recordData(records: NameServerRecords | undefined, type: number): Buffer | undefined {
  if (type === typeA && records?.ipv4 !== undefined) return Buffer.from(records.ipv4);
  if (type !== typeTxt || records?.txt === undefined) return undefined;
  return Buffer.concat(records.txt.map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])));
}

/** The name by a pointer to the question's, then type and class as asked, a minute to live, and the data. */
function answer(question: Buffer, data: Buffer | undefined): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  const head = Buffer.from([0xc0, 12, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0]);
  question.copy(head, 2, question.length - 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
