/** `<port> <name of an attack>`: attacks until it is killed. */
import { http1Attacks } from "../gateway/http1-attacks.ts";
import { attack } from "../loop-delay/attack.ts";
import { attacks } from "../loop-delay/attacks.ts";
import { gatewayHttp2Attacks } from "./gateway-http2-attacks.ts";
import { readingAttacks } from "./reading-attacks.ts";
import { socketAttacks } from "./socket-attacks.ts";

const [port, name = ""] = process.argv.slice(2);
const bytes = attacks[name];
const readingAttack = readingAttacks[name] ?? http1Attacks[name] ?? gatewayHttp2Attacks[name];
const socketAttack = socketAttacks[name];
if (bytes !== undefined) await attack(Number(port), bytes, new AbortController().signal);
else if (readingAttack !== undefined) await readingAttack(Number(port));
else if (socketAttack !== undefined) await socketAttack.run(Number(port));
else throw new Error(`unknown attack "${name}"`);
