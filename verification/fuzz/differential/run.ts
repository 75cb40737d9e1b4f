import assert from "node:assert/strict";
import { connect } from "node:net";
import { WireDecoder } from "../../../packages/http2/src/testing/index.ts";
import { Random } from "../../harness/random.ts";
import { startNodeServer, startOurServer } from "./echo-servers.ts";
import { createSession, type Session } from "./random-session.ts";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** The time limit of a session. It only waits for the loopback, but Node's server may start slowly. */
const answerTimeoutMs = 10_000;

/** A server's result for one request. */
interface Answer {
  head: readonly string[];
  body: string;
  trailers: readonly string[];
  end: string;
}

export interface DifferentialResult {
  sessions: number;
  requests: number;
  /** The seed of the first session with different responses, and the difference. */
  difference: { seed: number; error: Error } | undefined;
}

/**
 * Sends the same valid random connections to Tercel's server and to that of node:http2 (nghttp2), and compares
 * the results of every request, for this many seconds and at least `minSessions`.
 */
export async function runDifferential(
  seconds: number,
  firstSeed: number,
  minSessions = 1,
): Promise<DifferentialResult> {
  const ours = await startOurServer();
  const nodes = await startNodeServer();
  const result: DifferentialResult = { sessions: 0, requests: 0, difference: undefined };
  const endMs = performance.now() + seconds * 1000;
  try {
    for (let seed = firstSeed; seed < firstSeed + minSessions || performance.now() < endMs; seed++) {
      const session = createSession(new Random(seed));
      const cut = new Random(seed + 1);
      try {
        const [fromNode, fromUs] = [await play(session, nodes.port, cut), await play(session, ours.port, cut)];
        assert.deepEqual(fromUs, fromNode);
      } catch (error) {
        result.difference = { seed, error: error as Error };
        break;
      }
      result.sessions++;
      result.requests += session.requests.length;
    }
  } finally {
    await ours.close();
    await nodes.close();
  }
  return result;
}

/** Sends a session. Resolves to the responses by stream when every request has one. */
function play({ bytes, requests }: Session, port: number, random: Random): Promise<Map<number, Answer>> {
  const answers = new Map<number, Answer>(requests.map((id) => [id, { head: [], body: "", trailers: [], end: "" }]));
  let left = requests.length;
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  return new Promise((resolve, reject) => {
    const over = (error?: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      if (error === undefined) resolve(answers);
      else reject(new Error(`${error.message}; so far ${JSON.stringify([...answers])}`));
    };
    const timer = setTimeout(() => over(new Error("some responses are missing")), answerTimeoutMs);
    const end = (answer: Answer, how: string): void => {
      answer.end = how;
      left--;
      if (left === 0) over();
    };
    const decoder = new WireDecoder((frame) => {
      if (frame.type === "GOAWAY") over(new Error(`GOAWAY ${frame.code} ${frame.debug}`));
      if (!("streamId" in frame)) return;
      const answer = answers.get(frame.streamId);
      if (answer === undefined || answer.end !== "") return;
      if (frame.type === "RST_STREAM") end(answer, `reset ${frame.code}`);
      else if (frame.type === "DATA") answer.body += frame.data.toString("latin1");
      else if (frame.type === "HEADERS" && answer.head.length === 0) answer.head = frame.fields;
      else if (frame.type === "HEADERS") answer.trailers = frame.fields;
      if ((frame.type === "DATA" || frame.type === "HEADERS") && frame.endStream) end(answer, "end");
    });
    decoder.referee.maxFrameBytes = 100_000;
    socket.on("error", over);
    socket.on("close", () => over(new Error("the server closed the connection")));
    socket.on("data", (chunk: Buffer) => {
      try {
        decoder.receive(chunk);
      } catch (error) {
        over(error as Error);
      }
    });
    const at = random.below(bytes.length);
    socket.write(Buffer.concat([Buffer.from(preface), bytes.subarray(0, at)]));
    setImmediate(() => socket.write(bytes.subarray(at)));
  });
}
