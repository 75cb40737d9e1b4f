import { createSocket } from "node:dgram";
import { once } from "node:events";

/** A DNS record. The data of an A record is an address, that of an SRV record is "priority weight port target". */
export interface DnsRecord {
  readonly type: "A" | "SRV";
  readonly data: string;
}

export interface ScriptedDns {
  /** The address, for the option `servers`. */
  readonly address: string;
  /** Records by lower-case name. Other names do not exist. */
  readonly zone: Map<string, DnsRecord[]>;
  /** The queries so far, for example "SRV name". */
  readonly questions: readonly string[];
  /** Makes the server fail: it responds with SERVFAIL, or not at all. */
  mood: "honest" | "servfail";
  close(): Promise<void>;
}

const typeNumbers = { A: 1, AAAA: 28, SRV: 33 } as const;

/** A DNS server on UDP that serves a zone (RFC 1035 §4). */
export async function startScriptedDns(): Promise<ScriptedDns> {
  const socket = createSocket("udp4");
  const zone = new Map<string, DnsRecord[]>();
  const questions: string[] = [];
  const server = { mood: "honest" as ScriptedDns["mood"] };
  socket.on("message", (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    const typeName = Object.entries(typeNumbers).find(([, number]) => number === type)?.[0] ?? String(type);
    questions.push(`${typeName} ${name}`);
    const records = zone.get(name);
    const answers = (records ?? []).filter((record) => record.type === typeName);
    const code = server.mood === "servfail" ? 2 : records === undefined ? 3 : 0;
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(code === 0 ? answers.length : 0, 6);
    const body = code === 0 ? answers.map((record) => encodeRecord(record, type)) : [];
    socket.send(Buffer.concat([head, query.subarray(12, end), ...body]), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    zone,
    questions,
    get mood() {
      return server.mood;
    },
    set mood(mood) {
      server.mood = mood;
    },
    async close() {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function encodeRecord({ type, data }: DnsRecord, number: number): Buffer {
  const payload = type === "A" ? Buffer.from(data.split(".").map(Number)) : encodeSrv(data);
  const head = Buffer.alloc(12);
  // A pointer to the name in the question (RFC 1035 §4.1.4).
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(number, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(1, 6);
  head.writeUInt16BE(payload.length, 10);
  return Buffer.concat([head, payload]);
}

function encodeSrv(data: string): Buffer {
  const [priority, weight, port, target = ""] = data.split(" ");
  const numbers = Buffer.alloc(6);
  for (const [at, value] of [priority, weight, port].entries()) numbers.writeUInt16BE(Number(value), at * 2);
  const labels = target
    .split(".")
    .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, "latin1")]));
  return Buffer.concat([numbers, ...labels, Buffer.of(0)]);
}
