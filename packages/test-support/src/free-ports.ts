import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below Linux's range for outgoing connections, 32,768 to 60,999, so that the port is still free when a server is restarted.
 */
const lowestPort = 15_000;
const highestPort = 32_767;
const maxTries = 100;

/** Returns ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries === maxTries + count) throw new Error(`no ${count} free ports from ${lowestPort} to ${highestPort}`);
    const port = randomInt(lowestPort, highestPort + 1);
    if (await canListen(port)) ports.add(port);
  }
  return [...ports];
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  await once(server.close(), "close");
  return true;
}
